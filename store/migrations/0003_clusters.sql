-- SPDX-License-Identifier: MIT
-- Which cluster a project's objects are in: a name of the server's configuration. It is chosen when the project is
-- created and stays; sandbox and database are in their project's. What was made before there were names is in the
-- cluster that is called so unless it is told otherwise.

ALTER TABLE projects ADD COLUMN cluster text NOT NULL DEFAULT 'default';
CREATE INDEX projects_cluster ON projects (cluster);

-- Refuses a request that would start a creation in a cluster that has as many as it may; 0: no limit. Those who are
-- counted against the same limit come one after the other: the lock stands between sandboxes and databases in the order
-- of locks. Own SQLSTATEs: FS003 too many at once, FS004 too many in all.
CREATE FUNCTION fs_cluster_admit(p_owner text, p_project text, p_sandboxes_max bigint, p_creations_max bigint)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_s sandboxes;
    v_cluster text;
    v_n bigint;
BEGIN
    SELECT cluster INTO v_cluster FROM projects WHERE id = p_project AND owner_id = p_owner FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT * INTO v_s FROM sandboxes WHERE project_id = p_project FOR UPDATE;
    IF fs_request_verdict(v_s, 'running') <> 'started' THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('fs_cluster_admit'), hashtext(v_cluster));
    IF p_creations_max > 0 THEN
        SELECT count(*) INTO v_n FROM sandboxes s JOIN projects p ON p.id = s.project_id
            WHERE NOT s.is_settled AND s.desired = 'running' AND p.cluster = v_cluster AND s.project_id <> p_project;
        IF v_n >= p_creations_max THEN
            RAISE EXCEPTION 'cluster % creates % sandboxes at once at most (kube.creations); try again in a moment',
                v_cluster, p_creations_max USING ERRCODE = 'FS003';
        END IF;
    END IF;
    IF p_sandboxes_max > 0 THEN
        SELECT count(*) INTO v_n FROM sandboxes s JOIN projects p ON p.id = s.project_id
            WHERE s.status <> 'TERMINATED' AND p.cluster = v_cluster AND s.project_id <> p_project;
        IF v_n >= p_sandboxes_max THEN
            RAISE EXCEPTION 'cluster % has % sandboxes, as many as it may (kube.sandboxes); stop one, or use another cluster',
                v_cluster, v_n USING ERRCODE = 'FS004';
        END IF;
    END IF;
END $$;

-- fs_sandbox_request where a cluster has limits.
CREATE FUNCTION fs_sandbox_request_within(p_owner text, p_project text, p_desired text, p_replica text, p_at_ms bigint,
    p_id text, p_names text[], p_port_names text[], p_env_box bytea, p_notify boolean, p_sandboxes_max bigint,
    p_creations_max bigint)
    RETURNS TABLE (out_result text, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
BEGIN
    IF p_desired = 'running' AND (p_sandboxes_max > 0 OR p_creations_max > 0) THEN
        PERFORM fs_cluster_admit(p_owner, p_project, p_sandboxes_max, p_creations_max);
    END IF;
    RETURN QUERY SELECT f.* FROM fs_sandbox_request(p_owner, p_project, p_desired, p_replica, p_at_ms, p_id, p_names,
        p_port_names, p_env_box, p_notify) f;
END $$;
