-- SPDX-License-Identifier: MIT
-- Stopping and starting: a request names the states in which it may be made, and a running sandbox may be led through its
-- creation once more. The functions of the same names with fewer parameters stay: a replica of the version before calls
-- them while the replicas are being replaced.

-- What a request would do, by the row as it is. Answers started, in_progress, already, nothing or refused.
CREATE FUNCTION fs_request_verdict(s sandboxes, p_desired text, p_states text[], p_is_again boolean) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF s.project_id IS NULL THEN
        RETURN CASE WHEN p_desired IN ('terminated', 'stopped') THEN 'nothing' ELSE 'started' END;
    ELSIF NOT s.is_settled AND s.desired = p_desired THEN
        RETURN 'in_progress';
    ELSIF NOT s.is_settled AND s.desired IN ('deleted', 'detached') THEN
        RETURN 'refused';
    ELSIF NOT s.is_settled AND s.desired = 'terminated' AND p_desired IN ('running', 'stopped') THEN
        RAISE EXCEPTION 'the sandbox is being terminated; try again when it is done' USING ERRCODE = 'FS002';
    ELSIF s.is_settled AND NOT p_is_again AND (s.status, p_desired) IN
        (('RUNNING', 'running'), ('STOPPED', 'stopped'), ('TERMINATED', 'terminated')) THEN
        RETURN 'already';
    ELSIF s.status <> ALL (p_states) THEN
        RETURN 'refused';
    END IF;
    RETURN 'started';
END $$;

CREATE OR REPLACE FUNCTION fs_sandbox_start(s sandboxes, p_project text, p_id text, p_names text[], p_port_names text[],
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
        -- A retry or a start keeps every name; the image may have been mended in the configuration meanwhile.
        UPDATE sandboxes SET image = p_names[9], restart_time = p_names[10], desired = 'running',
                status = CASE WHEN s.status IN ('CREATING', 'ERROR') THEN 'CREATING' ELSE 'STARTING' END,
                attempt = attempt + 1, attempt_started_at = p_at, code = '', message = '', is_settled = false,
                lease_owner = CASE WHEN NOT s.is_settled AND fs_is_alive(s.lease_owner) THEN s.lease_owner ELSE p_replica END,
                fence = fence + 1, env_box = coalesce(p_env_box, env_box), updated_at = p_at
            WHERE project_id = p_project;
    END IF;
END $$;

-- Turns the row towards what is desired of it. A flow that a living replica leads stays with it: the fence, which grows,
-- refuses what it writes with the old aim in mind, and the event tells it.
CREATE FUNCTION fs_sandbox_turn(s sandboxes, p_desired text, p_status text, p_replica text, p_at timestamptz)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sandboxes SET status = p_status, desired = p_desired, code = '', message = '', updated_at = p_at,
            is_settled = false, fence = fence + 1,
            lease_owner = CASE WHEN NOT s.is_settled AND fs_is_alive(s.lease_owner) THEN s.lease_owner ELSE p_replica END
        WHERE project_id = s.project_id;
END $$;

CREATE FUNCTION fs_sandbox_request(p_owner text, p_project text, p_desired text, p_replica text, p_at_ms bigint,
    p_id text, p_names text[], p_port_names text[], p_env_box bytea, p_notify boolean, p_states text[],
    p_is_again boolean)
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
    v_result := fs_request_verdict(v_s, p_desired, p_states, p_is_again);
    IF v_result = 'started' THEN
        IF p_desired = 'running' THEN
            PERFORM fs_sandbox_start(v_s, p_project, p_id, p_names, p_port_names, p_env_box, p_replica, v_at);
            SELECT status INTO v_status FROM sandboxes WHERE project_id = p_project;
            v_message := CASE v_status WHEN 'STARTING' THEN 'start requested' ELSE 'creation requested' END;
        ELSIF v_s.project_id IS NULL THEN
            -- Database and sandbox rows are born together: nothing of this project was ever made.
            DELETE FROM projects WHERE id = p_project;
            v_kind := 'done';
            v_status := 'TERMINATED';
            v_message := 'the project is deleted';
        ELSE
            v_status := CASE p_desired WHEN 'stopped' THEN 'STOPPING' ELSE 'TERMINATING' END;
            PERFORM fs_sandbox_turn(v_s, p_desired, v_status, p_replica, v_at);
            v_message := CASE p_desired WHEN 'stopped' THEN 'stop requested' WHEN 'terminated' THEN 'termination requested'
                                        ELSE 'deletion requested' END;
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

CREATE FUNCTION fs_sandbox_request_within(p_owner text, p_project text, p_desired text, p_replica text, p_at_ms bigint,
    p_id text, p_names text[], p_port_names text[], p_env_box bytea, p_notify boolean, p_sandboxes_max bigint,
    p_creations_max bigint, p_states text[], p_is_again boolean)
    RETURNS TABLE (out_result text, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
BEGIN
    IF p_desired = 'running' AND (p_sandboxes_max > 0 OR p_creations_max > 0) THEN
        PERFORM fs_cluster_admit(p_owner, p_project, p_sandboxes_max, p_creations_max);
    END IF;
    RETURN QUERY SELECT f.* FROM fs_sandbox_request(p_owner, p_project, p_desired, p_replica, p_at_ms, p_id, p_names,
        p_port_names, p_env_box, p_notify, p_states, p_is_again) f;
END $$;
