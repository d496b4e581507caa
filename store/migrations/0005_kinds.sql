-- SPDX-License-Identifier: MIT
-- Of which kinds a sandbox is made: the texts of core/stage.h. Those that are there already are the original's.

ALTER TABLE sandboxes
    ADD COLUMN workload text NOT NULL DEFAULT 'deployment',
    ADD COLUMN route text NOT NULL DEFAULT 'ingress';

-- Makes or re-makes the sandbox row for a new attempt. s: the row as it is (project_id NULL: none).
-- p_names: namespace, slug, name, database name, app host, tty host, app label, tty label, image, restart time,
-- workload, route.
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
                port_names, image, restart_time, workload, route, status, desired, attempt, attempt_started_at,
                is_settled, lease_owner, fence, env_box, created_at, updated_at)
            VALUES (p_project, p_id, p_names[2], v_namespace, p_names[3], p_names[5], p_names[6], p_names[7], p_names[8],
                p_port_names, p_names[9], p_names[10], p_names[11], p_names[12], 'CREATING', 'running',
                coalesce(s.attempt, 0) + 1, p_at, false, p_replica, coalesce(s.fence, 0) + 1,
                coalesce(p_env_box, s.env_box), p_at, p_at)
            ON CONFLICT (project_id) DO UPDATE SET id = excluded.id, slug = excluded.slug,
                namespace_name = excluded.namespace_name, name = excluded.name, app_host = excluded.app_host,
                tty_host = excluded.tty_host, app_label = excluded.app_label, tty_label = excluded.tty_label,
                port_names = excluded.port_names, image = excluded.image, restart_time = excluded.restart_time,
                workload = excluded.workload, route = excluded.route,
                status = excluded.status, desired = excluded.desired, attempt = excluded.attempt,
                attempt_started_at = excluded.attempt_started_at, code = '', message = '', is_settled = false,
                lease_owner = excluded.lease_owner, fence = excluded.fence, env_box = excluded.env_box,
                created_at = excluded.created_at, updated_at = excluded.updated_at;
    ELSE
        -- A retry or a start keeps every name and kind; the image may have been mended in the configuration meanwhile.
        UPDATE sandboxes SET image = p_names[9], restart_time = p_names[10], desired = 'running',
                status = CASE WHEN s.status IN ('CREATING', 'ERROR') THEN 'CREATING' ELSE 'STARTING' END,
                attempt = attempt + 1, attempt_started_at = p_at, code = '', message = '', is_settled = false,
                lease_owner = CASE WHEN NOT s.is_settled AND fs_is_alive(s.lease_owner) THEN s.lease_owner ELSE p_replica END,
                fence = fence + 1, env_box = coalesce(p_env_box, env_box), updated_at = p_at
            WHERE project_id = p_project;
    END IF;
END $$;
