-- SPDX-License-Identifier: MIT
-- Signing in with GitHub: sign-ins under way, and users by their numeric id there.

-- One sign-in under way: the state that went to GitHub and the cookie of the browser that began, both as SHA-256.
CREATE TABLE oauth_states (
    state_hash bytea PRIMARY KEY,
    browser_hash bytea NOT NULL,
    verifier_box bytea NOT NULL, -- of PKCE; bound to the state's hash
    return_to text NOT NULL,     -- a local path
    valid_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX oauth_states_end ON oauth_states (valid_until);

CREATE FUNCTION fs_oauth_begin(p_state bytea, p_browser bytea, p_verifier_box bytea, p_return_to text, p_valid_ms bigint)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM oauth_states WHERE valid_until < now();
    INSERT INTO oauth_states (state_hash, browser_hash, verifier_box, return_to, valid_until)
        VALUES (p_state, p_browser, p_verifier_box, p_return_to, now() + p_valid_ms * interval '1 millisecond');
END $$;

-- Uses a state up, also when the browser is another: nothing can be tried twice. No row: unknown, used, over, not this
-- browser's.
CREATE FUNCTION fs_oauth_take(p_state bytea, p_browser bytea)
    RETURNS TABLE (out_verifier_box bytea, out_return_to text) LANGUAGE sql AS $$
    WITH taken AS (DELETE FROM oauth_states WHERE state_hash = p_state RETURNING *)
        SELECT verifier_box, return_to FROM taken WHERE browser_hash = p_browser AND valid_until > now();
$$;

-- The user of that GitHub id, made when there is none, as GitHub tells it now; and a session. An address that another
-- user has is left out: nobody is found by it.
CREATE FUNCTION fs_github_enter(p_github_id text, p_name text, p_email text, p_image text, p_token_box bytea,
    p_user_id text, p_identity_id text, p_hash bytea, p_former bytea, p_idle_ms bigint, p_absolute_ms bigint,
    p_agent text, p_address text) RETURNS TABLE (out_u users, out_until timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_user text := fs_user_of('github', p_github_id, p_name, p_user_id, p_identity_id);
    v_until timestamptz;
BEGIN
    UPDATE identities SET access_token_box = p_token_box, updated_at = now()
        WHERE provider = 'github' AND provider_user_id = p_github_id;
    BEGIN
        UPDATE users SET name = p_name, image = p_image, email = p_email, updated_at = now() WHERE id = v_user;
    EXCEPTION WHEN unique_violation THEN
        UPDATE users SET name = p_name, image = p_image, email = NULL, updated_at = now() WHERE id = v_user;
    END;
    v_until := fs_session_make(v_user, p_hash, p_former, p_idle_ms, p_absolute_ms, p_agent, p_address);
    RETURN QUERY SELECT u, v_until FROM users u WHERE u.id = v_user;
END $$;
