-- SPDX-License-Identifier: MIT
-- Who runs a request with an Idempotency-Key: when its lease has ended, so has its hold. The function with one parameter
-- less stays, for a replica of the version before.

ALTER TABLE idempotency ADD COLUMN holder text; -- of replicas, which may be gone

CREATE FUNCTION fs_idempotency_begin(p_owner text, p_scope bytea, p_key text, p_fingerprint bytea, p_operation text,
    p_hold_ms bigint, p_valid_ms bigint, p_max bigint, p_replica text)
    RETURNS TABLE (out_verdict text, out_i idempotency) LANGUAGE plpgsql AS $$
DECLARE
    v_f record;
BEGIN
    -- A replica that has left has no row; one that has not said a word yet has none either.
    UPDATE idempotency i SET held_until = now()
        WHERE owner_id = p_owner AND scope = p_scope AND key = p_key AND NOT is_answered AND held_until > now()
            AND EXISTS (SELECT FROM replicas r WHERE r.id = i.holder AND r.lease_until <= now());
    SELECT * INTO STRICT v_f FROM fs_idempotency_begin(p_owner, p_scope, p_key, p_fingerprint, p_operation, p_hold_ms,
        p_valid_ms, p_max);
    IF v_f.out_verdict = 'run' THEN
        UPDATE idempotency SET holder = p_replica WHERE operation_id = (v_f.out_i).operation_id;
    END IF;
    RETURN QUERY SELECT v_f.out_verdict, v_f.out_i;
END $$;
