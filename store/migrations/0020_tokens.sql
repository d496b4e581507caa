-- SPDX-License-Identifier: MIT
-- API tokens of users, and the word that a session or token has ended. Own SQLSTATE: FS020 too many tokens.

-- Tells every replica, at commit, that whoever shows the secret of this hash is nobody any more. Returns it as they know it.
CREATE FUNCTION fs_credential_ended(p_hash bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_hex text := encode(p_hash, 'hex');
BEGIN
    PERFORM pg_notify('fsd_journal', json_build_object('ended', v_hex)::text);
    RETURN v_hex;
END $$;

-- The user's row is the lock under which tokens are counted. What ended a month ago is forgotten here.
CREATE FUNCTION fs_token_create(p_user text, p_id text, p_name text, p_prefix text, p_hash bytea, p_scopes text[],
    p_valid_ms bigint, p_max bigint) RETURNS SETOF api_tokens LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = p_user FOR UPDATE;
    DELETE FROM api_tokens WHERE user_id = p_user AND least(revoked_at, valid_until) < now() - interval '30 days';
    IF (SELECT count(*) FROM api_tokens WHERE user_id = p_user AND revoked_at IS NULL AND valid_until > now()) >= p_max THEN
        RAISE EXCEPTION 'a user has at most % tokens; revoke one first', p_max USING ERRCODE = 'FS020';
    END IF;
    RETURN QUERY INSERT INTO api_tokens AS t (id, user_id, name, prefix, token_hash, scopes, valid_until)
        VALUES (p_id, p_user, p_name, p_prefix, p_hash, p_scopes, now() + p_valid_ms * interval '1 millisecond')
        RETURNING t.*;
END $$;

-- No row: the token is unknown, revoked or over. The time of its last use is written at most once a minute.
CREATE FUNCTION fs_token_find(p_hash bytea) RETURNS TABLE (out_u users, out_until timestamptz, out_scopes text)
    LANGUAGE plpgsql AS $$
DECLARE
    v_t api_tokens;
BEGIN
    SELECT * INTO v_t FROM api_tokens WHERE token_hash = p_hash AND revoked_at IS NULL AND valid_until > now();
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_t.used_at IS NULL OR v_t.used_at < now() - interval '1 minute' THEN
        UPDATE api_tokens SET used_at = now() WHERE id = v_t.id;
    END IF;
    RETURN QUERY SELECT u, v_t.valid_until, array_to_string(v_t.scopes, ' ') FROM users u WHERE u.id = v_t.user_id;
END $$;
