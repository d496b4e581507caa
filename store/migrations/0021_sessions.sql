-- SPDX-License-Identifier: MIT
-- Sessions that their owner can see and end. The functions of the version before stay callable: its rows get an id, and no
-- word of where they came from.

ALTER TABLE sessions
    ADD COLUMN id text NOT NULL DEFAULT gen_random_uuid()::text UNIQUE,
    ADD COLUMN used_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN agent text NOT NULL DEFAULT '',
    ADD COLUMN address text NOT NULL DEFAULT '';

-- Makes a session and ends the one that the browser had before. Returns when it ends if it is not used.
CREATE FUNCTION fs_session_make(p_user text, p_hash bytea, p_former bytea, p_idle_ms bigint, p_absolute_ms bigint,
    p_agent text, p_address text) RETURNS timestamptz LANGUAGE plpgsql AS $$
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
    RETURN v_idle;
END $$;

-- As fs_signin_link_use. No row: the link is unknown, used or over.
CREATE FUNCTION fs_signin_link_enter(p_link bytea, p_hash bytea, p_former bytea, p_idle_ms bigint, p_absolute_ms bigint,
    p_agent text, p_address text) RETURNS TABLE (out_u users, out_until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_user text;
    v_until timestamptz;
BEGIN
    UPDATE signin_links SET used_at = now() WHERE token_hash = p_link AND used_at IS NULL AND valid_until > now()
        RETURNING user_id INTO v_user;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_until := fs_session_make(v_user, p_hash, p_former, p_idle_ms, p_absolute_ms, p_agent, p_address);
    RETURN QUERY SELECT u, v_until FROM users u WHERE u.id = v_user;
END $$;

-- As before, and writes when it was used, together with the idle end.
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
        UPDATE sessions SET idle_until = v_idle, used_at = now() WHERE token_hash = p_token_hash;
    ELSE
        v_idle := v_s.idle_until;
    END IF;
    RETURN QUERY SELECT u, v_idle FROM users u WHERE u.id = v_s.user_id;
END $$;
