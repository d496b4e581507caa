-- SPDX-License-Identifier: MIT
-- What an administrator sees: all users, all projects, and who is one. Own SQLSTATEs: FS032 no such user, FS033 the last
-- administrator.

ALTER TABLE users ADD COLUMN seen_at timestamptz; -- to about a minute; NULL: never since this was written down
UPDATE users u SET seen_at = greatest((SELECT max(used_at) FROM sessions s WHERE s.user_id = u.id),
                                      (SELECT max(used_at) FROM api_tokens t WHERE t.user_id = u.id));

CREATE INDEX users_created ON users (created_at, id);
CREATE INDEX projects_updated ON projects (updated_at DESC, id);
CREATE INDEX sandboxes_status ON sandboxes (status);

-- Waits for nobody: who holds the user's row is about him too.
CREATE FUNCTION fs_user_seen(p_user text) RETURNS void LANGUAGE sql AS $$
    UPDATE users SET seen_at = now() WHERE id = (SELECT id FROM users WHERE id = p_user FOR NO KEY UPDATE SKIP LOCKED);
$$;

-- The three ways of being seen, each as before.
CREATE OR REPLACE FUNCTION fs_session_make(p_user text, p_hash bytea, p_former bytea, p_idle_ms bigint,
    p_absolute_ms bigint, p_agent text, p_address text) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_idle timestamptz := now() + least(p_idle_ms, p_absolute_ms) * interval '1 millisecond';
BEGIN
    DELETE FROM sessions WHERE idle_until < now() - interval '1 day' OR absolute_until < now() - interval '1 day';
    WITH gone AS (DELETE FROM sessions WHERE token_hash = p_former RETURNING token_hash)
        INSERT INTO sessions (token_hash, user_id, idle_ms, idle_until, absolute_until, agent, address)
        SELECT p_hash, p_user, p_idle_ms, v_idle, now() + p_absolute_ms * interval '1 millisecond', p_agent, p_address;
    IF p_former IS NOT NULL THEN
        PERFORM fs_credential_ended(p_former);
    END IF;
    PERFORM fs_user_seen(p_user);
    RETURN v_idle;
END $$;

CREATE OR REPLACE FUNCTION fs_session_find(p_token_hash bytea) RETURNS TABLE (out_u users, out_until timestamptz)
    LANGUAGE plpgsql AS $$
DECLARE
    v_s sessions;
    v_idle timestamptz;
BEGIN
    SELECT * INTO v_s FROM sessions
        WHERE token_hash = p_token_hash AND idle_until > now() AND absolute_until > now();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_idle := least(now() + v_s.idle_ms * interval '1 millisecond', v_s.absolute_until);
    IF v_idle > v_s.idle_until + least(interval '1 minute', v_s.idle_ms / 2 * interval '1 millisecond') THEN
        PERFORM fs_user_seen(v_s.user_id);
        UPDATE sessions SET idle_until = v_idle, used_at = now() WHERE token_hash = p_token_hash;
    ELSE
        v_idle := v_s.idle_until;
    END IF;
    RETURN QUERY SELECT u, v_idle FROM users u WHERE u.id = v_s.user_id;
END $$;

CREATE OR REPLACE FUNCTION fs_token_enter(p_hash bytea)
    RETURNS TABLE (out_u users, out_until timestamptz, out_scopes text, out_token_id text) LANGUAGE plpgsql AS $$
DECLARE
    v_t api_tokens;
BEGIN
    SELECT * INTO v_t FROM api_tokens WHERE token_hash = p_hash AND revoked_at IS NULL AND valid_until > now();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_t.used_at IS NULL OR v_t.used_at < now() - interval '1 minute' THEN
        PERFORM fs_user_seen(v_t.user_id);
        UPDATE api_tokens SET used_at = now() WHERE id = v_t.id;
    END IF;
    RETURN QUERY SELECT u, v_t.valid_until, array_to_string(v_t.scopes, ' '), v_t.id FROM users u
        WHERE u.id = v_t.user_id;
END $$;

-- A page of users, the newest first, one row more than p_limit where there is one; or, by p_id, one user. Planned for
-- what is asked for.
CREATE FUNCTION fs_user_list(p_limit bigint, p_after_us bigint, p_after_id text, p_keyword text, p_id text)
    RETURNS TABLE (out_u users, out_projects bigint, out_running bigint) LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_after timestamptz := timestamptz 'epoch' + p_after_us * interval '1 microsecond';
BEGIN
    RETURN QUERY SELECT page.u, c.n, c.running FROM (
            SELECT u FROM users u WHERE (p_after_us IS NULL OR (u.created_at, u.id) < (v_after, p_after_id))
            AND (p_id IS NULL OR u.id = p_id)
            AND (p_keyword IS NULL OR u.id = p_keyword
                 OR strpos(lower(u.name || E'\n' || coalesce(u.email, '')), lower(p_keyword)) > 0)
            ORDER BY u.created_at DESC, u.id DESC LIMIT p_limit + 1) page
        CROSS JOIN LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE s.status = 'RUNNING') AS running
            FROM projects p LEFT JOIN sandboxes s ON s.project_id = p.id WHERE p.owner_id = (page.u).id) c
        ORDER BY (page.u).created_at DESC, (page.u).id DESC;
END $$;

-- A page of everybody's projects, the last changed first, as above. p_status: of the sandbox's row; 'NONE': there is none.
CREATE FUNCTION fs_project_list(p_limit bigint, p_after_us bigint, p_after_id text, p_owner text, p_status text,
    p_keyword text, p_from_ms bigint, p_to_ms bigint)
    RETURNS TABLE (out_p projects, out_s sandboxes, out_d databases, out_owner_name text) LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_after timestamptz := timestamptz 'epoch' + p_after_us * interval '1 microsecond';
BEGIN
    RETURN QUERY SELECT p, s, d, u.name FROM projects p JOIN users u ON u.id = p.owner_id
        LEFT JOIN sandboxes s ON s.project_id = p.id LEFT JOIN databases d ON d.project_id = p.id
        WHERE (p_after_us IS NULL OR (p.updated_at <= v_after AND (p.updated_at < v_after OR p.id > p_after_id)))
        AND (p_owner IS NULL OR p.owner_id = p_owner)
        AND (p_status IS NULL OR (p_status = 'NONE' AND s.project_id IS NULL) OR s.status = p_status)
        AND (p_keyword IS NULL
             OR strpos(lower(p.name || E'\n' || coalesce(p.description, '')), lower(p_keyword)) > 0)
        AND (p_from_ms IS NULL OR p.created_at >= fs_at(p_from_ms))
        AND (p_to_ms IS NULL OR p.created_at < fs_at(p_to_ms))
        ORDER BY p.updated_at DESC, p.id LIMIT p_limit + 1;
END $$;

-- Makes a user an administrator, or no more. p_configured: ids of those who are by configuration, with commas between.
-- One row of NULL; then, when the right was taken away, one for each session and each token with the scope admin, which
-- have ended: nobody goes on with what a replica remembers. The locks let two administrators not remove each other.
CREATE FUNCTION fs_user_role(p_id text, p_is_admin boolean, p_configured text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_was boolean;
BEGIN
    PERFORM FROM users WHERE is_admin OR id = p_id ORDER BY id FOR NO KEY UPDATE;
    SELECT is_admin INTO v_was FROM users WHERE id = p_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'User not found' USING ERRCODE = 'FS032';
    END IF;
    IF v_was AND NOT p_is_admin AND NOT EXISTS (SELECT FROM users WHERE id <> p_id AND (is_admin
            OR id = ANY (regexp_split_to_array(btrim(p_configured), '\s*,\s*')))) THEN
        RAISE EXCEPTION 'This is the last administrator; make somebody else one first' USING ERRCODE = 'FS033';
    END IF;
    UPDATE users SET is_admin = p_is_admin, updated_at = now() WHERE id = p_id AND is_admin <> p_is_admin;
    RETURN NEXT NULL;
    IF v_was AND NOT p_is_admin THEN
        RETURN QUERY WITH s AS (DELETE FROM sessions WHERE user_id = p_id RETURNING token_hash),
            t AS (UPDATE api_tokens SET revoked_at = now() WHERE user_id = p_id AND revoked_at IS NULL
                  AND 'admin' = ANY (scopes) RETURNING token_hash)
            SELECT fs_credential_ended(h.token_hash) FROM (TABLE s UNION ALL TABLE t) h;
    END IF;
END $$;
