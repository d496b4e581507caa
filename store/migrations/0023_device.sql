-- SPDX-License-Identifier: MIT
-- Signing in a program on a device without a browser (RFC 8628): what it asks for, until a signed-in user decides.

CREATE TABLE device_codes (
    device_hash bytea PRIMARY KEY, -- SHA-256 of what the program polls with
    user_code text NOT NULL UNIQUE, -- what the user types: letters only
    name text NOT NULL,
    scopes text[] NOT NULL,
    agent text NOT NULL,
    address text NOT NULL,
    decision text NOT NULL DEFAULT 'pending', -- pending, allowed, denied
    user_id text REFERENCES users ON DELETE CASCADE, -- who decided
    interval_s integer NOT NULL,
    polled_at timestamptz,
    valid_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX device_codes_end ON device_codes (valid_until);
CREATE INDEX device_codes_user ON device_codes (user_id);

CREATE FUNCTION fs_device_begin(p_device bytea, p_user_code text, p_name text, p_scopes text[], p_agent text,
    p_address text, p_interval_s integer, p_valid_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM device_codes WHERE valid_until < now();
    INSERT INTO device_codes (device_hash, user_code, name, scopes, agent, address, interval_s, valid_until)
        VALUES (p_device, p_user_code, p_name, p_scopes, p_agent, p_address, p_interval_s,
                now() + p_valid_ms * interval '1 millisecond');
END $$;

-- Answers pending, slow_down (and makes the interval longer), denied, expired (or unknown, or had already), or token with
-- the API token that was made of p_token_hash: once, for then the code is gone.
CREATE FUNCTION fs_device_poll(p_device bytea, p_token_id text, p_prefix text, p_token_hash bytea, p_valid_ms bigint,
    p_max bigint) RETURNS TABLE (out_verdict text, out_t api_tokens) LANGUAGE plpgsql AS $$
DECLARE
    v_d device_codes;
    v_t api_tokens;
    v_verdict text := 'pending';
BEGIN
    SELECT * INTO v_d FROM device_codes WHERE device_hash = p_device AND valid_until > now() FOR UPDATE;
    IF NOT FOUND THEN
        v_verdict := 'expired';
    ELSIF v_d.polled_at > now() - v_d.interval_s * interval '1 second' THEN
        UPDATE device_codes SET polled_at = now(), interval_s = interval_s + 5 WHERE device_hash = p_device;
        v_verdict := 'slow_down';
    ELSIF v_d.decision = 'pending' THEN
        UPDATE device_codes SET polled_at = now() WHERE device_hash = p_device;
    ELSE
        DELETE FROM device_codes WHERE device_hash = p_device;
        v_verdict := 'denied';
        IF v_d.decision = 'allowed' THEN
            v_t := fs_token_create(v_d.user_id, p_token_id, v_d.name, p_prefix, p_token_hash, v_d.scopes, p_valid_ms, p_max);
            v_verdict := 'token';
        END IF;
    END IF;
    RETURN QUERY SELECT v_verdict, v_t;
END $$;
