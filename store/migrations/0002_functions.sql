-- SPDX-License-Identifier: MIT
-- The transactions that take more than one statement, each one round trip. Locks are always taken in the order
-- projects, sandboxes, databases, journal_counters, so that they cannot wait for each other in a ring.
-- Own SQLSTATEs: FS001 fenced, FS002 being terminated; store/sqlstate.c says what they mean.

CREATE FUNCTION fs_is_alive(p_replica text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT EXISTS (SELECT FROM replicas WHERE id = p_replica AND lease_until > now()) $$;

-- Writes events in order and gives each its number; returns the last. Arrays have one element per event.
-- p_replica: who writes, for the notification; NULL: nobody is notified.
CREATE FUNCTION fs_journal_add(p_owner text, p_project text, p_attempt integer, p_replica text, p_kinds text[],
    p_stages text[], p_stage_statuses text[], p_statuses text[], p_outcomes text[], p_codes text[], p_messages text[],
    p_ats bigint[], p_durations bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_last bigint;
    v_n integer := cardinality(p_kinds);
BEGIN
    INSERT INTO journal_counters AS c (owner_id, seq) VALUES (p_owner, v_n)
        ON CONFLICT (owner_id) DO UPDATE SET seq = c.seq + v_n RETURNING c.seq INTO v_last;
    INSERT INTO journal (owner_id, seq, project_id, attempt, kind, stage, stage_status, status, outcome, code, message,
                         at, duration_ms)
        SELECT p_owner, v_last - v_n + e.n, p_project, p_attempt, e.kind, e.stage, e.stage_status, e.status, e.outcome,
               e.code, e.message, fs_at(e.at), e.duration
        FROM unnest(p_kinds, p_stages, p_stage_statuses, p_statuses, p_outcomes, p_codes, p_messages, p_ats, p_durations)
             WITH ORDINALITY AS e (kind, stage, stage_status, status, outcome, code, message, at, duration, n);
    IF p_replica IS NOT NULL THEN
        PERFORM pg_notify('fsd_journal', json_build_object('replica', p_replica, 'owner', j.owner_id,
            'project', j.project_id, 'seq', j.seq, 'attempt', j.attempt, 'kind', j.kind, 'stage', j.stage,
            'stage_status', j.stage_status, 'status', j.status, 'outcome', j.outcome, 'code', j.code,
            'message', j.message, 'at', fs_ms(j.at), 'duration', j.duration_ms)::text)
        FROM journal j WHERE j.owner_id = p_owner AND j.seq > v_last - v_n AND j.seq <= v_last ORDER BY j.seq;
    END IF;
    RETURN v_last;
END $$;

-- What a request would do, by the row as it is. Answers started, in_progress, already, nothing or refused.
CREATE FUNCTION fs_request_verdict(s sandboxes, p_desired text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF s.project_id IS NULL THEN
        RETURN CASE WHEN p_desired = 'terminated' THEN 'nothing' ELSE 'started' END;
    ELSIF NOT s.is_settled AND s.desired = p_desired THEN
        RETURN 'in_progress';
    ELSIF NOT s.is_settled AND s.desired IN ('deleted', 'detached') THEN
        RETURN 'refused';
    ELSIF NOT s.is_settled AND s.desired = 'terminated' AND p_desired = 'running' THEN
        RAISE EXCEPTION 'the sandbox is being terminated; try again when it is done' USING ERRCODE = 'FS002';
    ELSIF s.is_settled AND s.status = 'RUNNING' AND p_desired = 'running' THEN
        RETURN 'already';
    ELSIF s.is_settled AND s.status = 'TERMINATED' AND p_desired = 'terminated' THEN
        RETURN 'already';
    END IF;
    RETURN 'started';
END $$;

-- Makes or re-makes the sandbox row for a new attempt. s: the row as it is (project_id NULL: none).
-- p_names: namespace, slug, name, database name, app host, tty host, app label, tty label, image, restart time.
CREATE FUNCTION fs_sandbox_start(s sandboxes, p_project text, p_id text, p_names text[], p_port_names text[],
    p_env_box bytea, p_replica text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_namespace text;
BEGIN
    INSERT INTO databases AS d (project_id, name, namespace_name, created_at, updated_at)
        VALUES (p_project, p_names[4], p_names[1], p_at, p_at)
        ON CONFLICT (project_id) DO UPDATE SET updated_at = p_at RETURNING d.namespace_name INTO v_namespace;
    IF s.project_id IS NULL OR s.status = 'TERMINATED' THEN
        INSERT INTO sandboxes AS o (project_id, id, slug, namespace_name, name, app_host, tty_host, app_label, tty_label,
                port_names, image, restart_time, status, desired, attempt, attempt_started_at, is_settled, lease_owner,
                fence, env_box, created_at, updated_at)
            VALUES (p_project, p_id, p_names[2], v_namespace, p_names[3], p_names[5], p_names[6], p_names[7], p_names[8],
                p_port_names, p_names[9], p_names[10], 'CREATING', 'running', coalesce(s.attempt, 0) + 1, p_at, false,
                p_replica, coalesce(s.fence, 0) + 1, coalesce(p_env_box, s.env_box), p_at, p_at)
            ON CONFLICT (project_id) DO UPDATE SET id = excluded.id, slug = excluded.slug,
                namespace_name = excluded.namespace_name, name = excluded.name, app_host = excluded.app_host,
                tty_host = excluded.tty_host, app_label = excluded.app_label, tty_label = excluded.tty_label,
                port_names = excluded.port_names, image = excluded.image, restart_time = excluded.restart_time,
                status = excluded.status, desired = excluded.desired, attempt = excluded.attempt,
                attempt_started_at = excluded.attempt_started_at, code = '', message = '', is_settled = false,
                lease_owner = excluded.lease_owner, fence = excluded.fence, env_box = excluded.env_box,
                created_at = excluded.created_at, updated_at = excluded.updated_at;
    ELSE
        -- A retry keeps every name; the image may have been mended in the configuration meanwhile.
        UPDATE sandboxes SET image = p_names[9], restart_time = p_names[10], status = 'CREATING', desired = 'running',
                attempt = attempt + 1, attempt_started_at = p_at, code = '', message = '', is_settled = false,
                lease_owner = p_replica, fence = fence + 1, env_box = coalesce(p_env_box, env_box), updated_at = p_at
            WHERE project_id = p_project;
    END IF;
END $$;

-- Turns the row towards its end. A flow that a living replica leads stays with it: the fence, which grows, refuses what
-- it writes with the old aim in mind, and the event tells it.
CREATE FUNCTION fs_sandbox_end(s sandboxes, p_desired text, p_replica text, p_at timestamptz)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sandboxes SET status = 'TERMINATING', desired = p_desired, code = '', message = '', updated_at = p_at,
            is_settled = false, fence = fence + 1,
            lease_owner = CASE WHEN NOT s.is_settled AND fs_is_alive(s.lease_owner) THEN s.lease_owner ELSE p_replica END
        WHERE project_id = s.project_id;
END $$;

CREATE FUNCTION fs_sandbox_request(p_owner text, p_project text, p_desired text, p_replica text, p_at_ms bigint,
    p_id text, p_names text[], p_port_names text[], p_env_box bytea, p_notify boolean)
    RETURNS TABLE (out_result text, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
DECLARE
    v_s sandboxes;
    v_result text;
    v_attempt integer;
    v_last bigint := 0;
    v_kind text := 'status';
    v_status text;
    v_message text;
    v_at timestamptz := fs_at(p_at_ms);
BEGIN
    PERFORM FROM projects WHERE id = p_project AND owner_id = p_owner FOR UPDATE;
    IF NOT FOUND THEN
        RETURN; -- no row: MISSING
    END IF;
    SELECT * INTO v_s FROM sandboxes WHERE project_id = p_project FOR UPDATE;
    v_result := fs_request_verdict(v_s, p_desired);
    IF v_result = 'started' THEN
        IF p_desired = 'running' THEN
            PERFORM fs_sandbox_start(v_s, p_project, p_id, p_names, p_port_names, p_env_box, p_replica, v_at);
            v_status := 'CREATING';
            v_message := 'creation requested';
        ELSIF v_s.project_id IS NULL THEN
            -- Database and sandbox rows are born together: nothing of this project was ever made.
            DELETE FROM projects WHERE id = p_project;
            v_kind := 'done';
            v_status := 'TERMINATED';
            v_message := 'the project is deleted';
        ELSE
            PERFORM fs_sandbox_end(v_s, p_desired, p_replica, v_at);
            v_status := 'TERMINATING';
            v_message := CASE p_desired WHEN 'terminated' THEN 'termination requested' ELSE 'deletion requested' END;
        END IF;
        UPDATE projects SET updated_at = greatest(updated_at, v_at) WHERE id = p_project;
        SELECT attempt INTO v_attempt FROM sandboxes WHERE project_id = p_project;
        v_last := fs_journal_add(p_owner, p_project, coalesce(v_attempt, 0), CASE WHEN p_notify THEN p_replica END,
            ARRAY[v_kind], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[v_status],
            ARRAY[CASE v_kind WHEN 'done' THEN 'deleted' END], ARRAY[''], ARRAY[v_message], ARRAY[p_at_ms],
            ARRAY[NULL::bigint]);
    END IF;
    RETURN QUERY SELECT v_result, s, p, d, j
        FROM (SELECT) one
        LEFT JOIN projects p ON p.id = p_project
        LEFT JOIN sandboxes s ON s.project_id = p_project
        LEFT JOIN databases d ON d.project_id = p_project
        LEFT JOIN journal j ON j.owner_id = p_owner AND j.seq = v_last;
END $$;

-- One write of a flow. Returns the number of its last event (0 without events). p_credentials: host, port, user,
-- database; NULL: unchanged.
CREATE FUNCTION fs_flow_save(p_project text, p_replica text, p_attempt integer, p_fence bigint, p_saves bigint,
    p_status text, p_code text, p_message text, p_is_settled boolean, p_steps text, p_credentials text[],
    p_password_box bytea, p_is_project_gone boolean, p_notify boolean, p_kinds text[], p_stages text[],
    p_stage_statuses text[], p_statuses text[], p_outcomes text[], p_codes text[], p_messages text[], p_ats bigint[],
    p_durations bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_s sandboxes;
    v_owner text;
    v_last bigint := 0;
BEGIN
    IF p_is_settled OR p_is_project_gone THEN
        UPDATE projects SET updated_at = greatest(updated_at, now()) WHERE id = p_project;
    END IF;
    SELECT * INTO v_s FROM sandboxes WHERE project_id = p_project FOR UPDATE;
    -- Another count of writes: the one before this had no answer and took effect.
    IF NOT FOUND OR v_s.is_settled OR v_s.lease_owner IS DISTINCT FROM p_replica OR v_s.fence <> p_fence
        OR v_s.saves <> p_saves OR v_s.attempt <> p_attempt THEN
        RAISE EXCEPTION 'the flow is led by another replica, or wanted otherwise meanwhile' USING ERRCODE = 'FS001';
    END IF;
    UPDATE sandboxes SET status = p_status, code = p_code, message = p_message, is_settled = p_is_settled,
            steps = p_steps, lease_owner = CASE WHEN p_is_settled THEN NULL ELSE p_replica END, saves = saves + 1,
            updated_at = now()
        WHERE project_id = p_project;
    IF p_credentials IS NOT NULL THEN
        UPDATE databases SET host = p_credentials[1], port = p_credentials[2]::integer, username = p_credentials[3],
                dbname = p_credentials[4], password_box = p_password_box, updated_at = now()
            WHERE project_id = p_project;
    END IF;
    IF cardinality(p_kinds) > 0 THEN
        SELECT owner_id INTO STRICT v_owner FROM projects WHERE id = p_project;
        v_last := fs_journal_add(v_owner, p_project, p_attempt, CASE WHEN p_notify THEN p_replica END, p_kinds, p_stages,
            p_stage_statuses, p_statuses, p_outcomes, p_codes, p_messages, p_ats, p_durations);
    END IF;
    IF p_is_project_gone THEN
        DELETE FROM projects WHERE id = p_project;
    END IF;
    RETURN v_last;
END $$;

-- The user behind an identity, made when there is none.
CREATE FUNCTION fs_user_of(p_provider text, p_provider_user_id text, p_name text, p_user_id text, p_identity_id text)
    RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_user text;
BEGIN
    SELECT user_id INTO v_user FROM identities WHERE provider = p_provider AND provider_user_id = p_provider_user_id;
    IF FOUND THEN
        RETURN v_user;
    END IF;
    INSERT INTO users (id, name) VALUES (p_user_id, p_name);
    INSERT INTO identities (id, user_id, provider, provider_user_id)
        VALUES (p_identity_id, p_user_id, p_provider, p_provider_user_id) ON CONFLICT (provider, provider_user_id) DO NOTHING;
    IF FOUND THEN
        RETURN p_user_id;
    END IF;
    -- Somebody else made it in the same moment.
    DELETE FROM users WHERE id = p_user_id;
    SELECT user_id INTO STRICT v_user FROM identities
        WHERE provider = p_provider AND provider_user_id = p_provider_user_id;
    RETURN v_user;
END $$;

CREATE FUNCTION fs_signin_link_create(p_provider text, p_provider_user_id text, p_name text, p_user_id text,
    p_identity_id text, p_token_hash bytea, p_valid_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM signin_links WHERE valid_until < now() - interval '1 day';
    INSERT INTO signin_links (token_hash, user_id, valid_until)
        VALUES (p_token_hash, fs_user_of(p_provider, p_provider_user_id, p_name, p_user_id, p_identity_id),
                now() + p_valid_ms * interval '1 millisecond');
END $$;

-- No row: the link is unknown, used or over.
CREATE FUNCTION fs_signin_link_use(p_token_hash bytea, p_session_hash bytea, p_idle_ms bigint, p_absolute_ms bigint)
    RETURNS TABLE (out_u users, out_until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_user text;
    v_idle timestamptz := now() + least(p_idle_ms, p_absolute_ms) * interval '1 millisecond';
BEGIN
    UPDATE signin_links SET used_at = now() WHERE token_hash = p_token_hash AND used_at IS NULL AND valid_until > now()
        RETURNING user_id INTO v_user;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM sessions WHERE idle_until < now() - interval '1 day' OR absolute_until < now() - interval '1 day';
    INSERT INTO sessions (token_hash, user_id, idle_ms, idle_until, absolute_until)
        VALUES (p_session_hash, v_user, p_idle_ms, v_idle, now() + p_absolute_ms * interval '1 millisecond');
    RETURN QUERY SELECT u, v_idle FROM users u WHERE u.id = v_user;
END $$;

-- No row: the session is unknown or over. Its idle end is moved at most once a minute.
CREATE FUNCTION fs_session_find(p_token_hash bytea) RETURNS TABLE (out_u users, out_until timestamptz)
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
        UPDATE sessions SET idle_until = v_idle WHERE token_hash = p_token_hash;
    ELSE
        v_idle := v_s.idle_until;
    END IF;
    RETURN QUERY SELECT u, v_idle FROM users u WHERE u.id = v_s.user_id;
END $$;
