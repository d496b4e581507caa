-- SPDX-License-Identifier: MIT
-- What is told healthy has no stage left failed. The version before looked at the last row of the journal alone: a report
-- written after a repair had failed hid that failure, and the healing was told ready without walking the stages.

-- What a replica saw of a sandbox that nobody leads. Of all that see the same one is heard: each change raises the fence,
-- and whoever names another fence or attempt learns how the row is. p_wish: 'report' writes why it does not run as it
-- should; 'repair' also has the replica lead it; 'healed' that it runs again, or, where the last flow of it has failed and
-- left a stage so, has the replica lead it to its end, whatever was reported since. The n-th report or lead within p_calm_ms has to wait p_first_ms * 2^(n-2), at most p_cap_ms,
-- after the one before it.
-- Answers told, later (and for how long) or other.
CREATE OR REPLACE FUNCTION fs_drift_note(p_project text, p_replica text, p_attempt integer, p_fence bigint, p_wish text,
    p_code text, p_message text, p_at_ms bigint, p_notify boolean, p_first_ms bigint, p_cap_ms bigint, p_calm_ms bigint)
    RETURNS TABLE (out_result text, out_wait_ms bigint, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
DECLARE
    v_s sandboxes;
    v_owner text;
    v_outcome text;
    v_is_lead boolean := p_wish = 'repair';
    v_is_end boolean := false; -- of the drift
    v_n integer := 0;
    v_ago_ms bigint;
    v_wait_ms bigint := 0;
    v_last bigint := 0;
    v_result text := 'other';
BEGIN
    SELECT owner_id INTO v_owner FROM projects WHERE id = p_project FOR UPDATE;
    SELECT * INTO v_s FROM sandboxes WHERE project_id = p_project FOR UPDATE;
    IF fs_is_watched(v_s) AND v_s.attempt = p_attempt AND v_s.fence = p_fence AND fs_is_alive(p_replica)
        AND NOT (p_wish = 'healed' AND v_s.status = 'RUNNING') THEN
        IF p_wish = 'healed' THEN
            SELECT outcome INTO v_outcome FROM journal WHERE project_id = p_project AND kind = 'done'
                ORDER BY seq DESC LIMIT 1;
            v_is_lead := v_outcome IS DISTINCT FROM 'ready';
            v_is_end := NOT v_is_lead;
        END IF;
        v_ago_ms := fs_ms(now()) - fs_ms(v_s.drift_at);
        IF v_ago_ms < p_calm_ms THEN
            v_n := v_s.drift_n;
        END IF;
        IF v_n > 0 AND NOT v_is_end THEN
            v_wait_ms := least(p_cap_ms, p_first_ms * (2 ^ least(v_n - 1, 30))::bigint) - v_ago_ms;
        END IF;
        v_result := CASE WHEN v_wait_ms > 0 THEN 'later' ELSE 'told' END;
    END IF;
    IF v_result = 'told' THEN
        UPDATE projects SET updated_at = greatest(updated_at, now()) WHERE id = p_project;
        UPDATE sandboxes SET status = CASE WHEN v_is_end THEN 'RUNNING' ELSE 'ERROR' END, code = p_code,
                message = p_message, drift_attempt = attempt, drift_n = CASE WHEN v_is_end THEN v_n ELSE v_n + 1 END,
                drift_at = CASE WHEN v_is_end THEN drift_at ELSE now() END, fence = fence + 1, updated_at = now(),
                is_settled = NOT v_is_lead, lease_owner = CASE WHEN v_is_lead THEN p_replica END
            WHERE project_id = p_project;
        v_last := fs_journal_add(v_owner, p_project, p_attempt, CASE WHEN p_notify THEN p_replica END,
            ARRAY[CASE WHEN v_is_end THEN 'done' ELSE 'status' END], ARRAY[NULL::text], ARRAY[NULL::text],
            ARRAY[CASE WHEN v_is_end THEN 'RUNNING' ELSE 'ERROR' END], ARRAY[CASE WHEN v_is_end THEN 'ready' END],
            ARRAY[p_code], ARRAY[p_message], ARRAY[p_at_ms], ARRAY[CASE WHEN v_is_end THEN v_ago_ms END]);
    END IF;
    RETURN QUERY SELECT v_result, greatest(v_wait_ms, 0), s, p, d, j
        FROM (SELECT) one
        LEFT JOIN projects p ON p.id = p_project
        LEFT JOIN sandboxes s ON s.project_id = p_project
        LEFT JOIN databases d ON d.project_id = p_project
        LEFT JOIN journal j ON j.owner_id = v_owner AND j.seq = v_last;
END $$;
