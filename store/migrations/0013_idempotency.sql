-- SPDX-License-Identifier: MIT
-- Requests that carry an Idempotency-Key: reserved before they are done, answered afterwards. The table of the same name
-- that migration 1 made was never read nor written.

DROP TABLE idempotency;
CREATE TABLE idempotency (
    owner_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    scope bytea NOT NULL, -- SHA-256 of method and path
    key text NOT NULL,
    fingerprint bytea NOT NULL, -- SHA-256 of the whole request
    operation_id text NOT NULL UNIQUE, -- stays the same however often the request is tried; what it creates may bear it
    fence bigint NOT NULL DEFAULT 1, -- tries so far
    held_until timestamptz NOT NULL, -- whoever runs it has until then
    is_answered boolean NOT NULL DEFAULT false,
    status integer, -- of the answer, as what follows
    content_type text,
    fields text, -- header fields, a line each
    body_box bytea, -- NULL: the answer was not kept
    valid_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, scope, key)
);
CREATE INDEX idempotency_end ON idempotency (valid_until);

-- May the request be run? run: yes, and the row is held; answered; busy: somebody runs it; other: the key was used for
-- another request; many: the owner has too many keys (then without a row).
CREATE FUNCTION fs_idempotency_begin(p_owner text, p_scope bytea, p_key text, p_fingerprint bytea, p_operation text,
    p_hold_ms bigint, p_valid_ms bigint, p_max bigint) RETURNS TABLE (out_verdict text, out_i idempotency)
    LANGUAGE plpgsql AS $$
DECLARE
    v_i idempotency;
    v_hold timestamptz := now() + p_hold_ms * interval '1 millisecond';
    v_valid timestamptz := now() + p_valid_ms * interval '1 millisecond';
BEGIN
    LOOP
        SELECT * INTO v_i FROM idempotency WHERE owner_id = p_owner AND scope = p_scope AND key = p_key FOR UPDATE;
        EXIT WHEN FOUND;
        IF (SELECT count(*) FROM (SELECT FROM idempotency WHERE owner_id = p_owner LIMIT p_max) i) >= p_max THEN
            RETURN QUERY SELECT 'many', NULL::idempotency;
            RETURN;
        END IF;
        INSERT INTO idempotency AS i (owner_id, scope, key, fingerprint, operation_id, held_until, valid_until)
            VALUES (p_owner, p_scope, p_key, p_fingerprint, p_operation, v_hold, v_valid)
            ON CONFLICT (owner_id, scope, key) DO NOTHING RETURNING * INTO v_i;
        IF FOUND THEN
            RETURN QUERY SELECT 'run', v_i;
            RETURN;
        END IF;
        -- Somebody else made it in the same moment.
    END LOOP;
    IF v_i.valid_until <= now() AND v_i.held_until <= now() THEN
        -- Its time is over, only nobody has removed it yet: the key is a new one.
        UPDATE idempotency i SET fingerprint = p_fingerprint, operation_id = p_operation, fence = fence + 1,
                is_answered = false, status = NULL, content_type = NULL, fields = NULL, body_box = NULL,
                held_until = v_hold, valid_until = v_valid, created_at = now()
            WHERE i.operation_id = v_i.operation_id RETURNING * INTO v_i;
        RETURN QUERY SELECT 'run', v_i;
    ELSIF v_i.fingerprint <> p_fingerprint THEN
        RETURN QUERY SELECT 'other', v_i;
    ELSIF v_i.is_answered THEN
        RETURN QUERY SELECT 'answered', v_i;
    ELSIF v_i.held_until > clock_timestamp() THEN
        RETURN QUERY SELECT 'busy', v_i;
    ELSE
        UPDATE idempotency i SET fence = fence + 1, held_until = v_hold
            WHERE i.operation_id = v_i.operation_id RETURNING * INTO v_i;
        RETURN QUERY SELECT 'run', v_i;
    END IF;
END $$;
