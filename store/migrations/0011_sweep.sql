-- SPDX-License-Identifier: MIT
-- The grace time of failed creations, and the sweep: the comparison of cluster and rows in both directions.

-- settled_at: when the sandbox's last attempt ended. ready_id: the id of the sandbox that was once ready; what ran once is
-- not removed for a later failure. Kept by a trigger, so that replicas of the version before keep them as well.
ALTER TABLE sandboxes
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN ready_id text;

CREATE FUNCTION fs_sandbox_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.settled_at := now();
    IF NEW.status = 'RUNNING' THEN
        NEW.ready_id := NEW.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER sandboxes_settled BEFORE UPDATE ON sandboxes
    FOR EACH ROW WHEN (NEW.is_settled AND NOT OLD.is_settled) EXECUTE FUNCTION fs_sandbox_settled();

-- The grace of what failed before this begins with it.
UPDATE sandboxes s SET settled_at = CASE WHEN is_settled THEN now() END,
    ready_id = CASE WHEN s.status IN ('RUNNING', 'STOPPED') OR EXISTS (SELECT FROM journal j WHERE j.project_id = s.project_id
        AND j.outcome = 'ready' AND j.at >= s.created_at) THEN s.id END;
CREATE INDEX sandboxes_failed ON sandboxes (settled_at) WHERE status = 'ERROR' AND is_settled;

-- Turns creations that failed longer than p_grace_ms ago, and were never ready, towards their end; whoever claims next
-- leads them there. Each is taken by one replica: rows that another one holds are left to it. Returns what was told.
CREATE FUNCTION fs_failed_expire(p_replica text, p_grace_ms bigint, p_n bigint, p_notify boolean)
    RETURNS SETOF journal LANGUAGE plpgsql AS $$
DECLARE
    v_id text;
    v_owner text;
    v_s sandboxes;
    v_last bigint;
BEGIN
    FOR v_id IN SELECT project_id FROM sandboxes WHERE status = 'ERROR' AND is_settled AND desired = 'running'
            AND ready_id IS DISTINCT FROM id AND settled_at <= now() - p_grace_ms * interval '1 millisecond'
            ORDER BY settled_at LIMIT p_n LOOP
        SELECT owner_id INTO v_owner FROM projects WHERE id = v_id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        SELECT * INTO v_s FROM sandboxes WHERE project_id = v_id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND OR v_s.status <> 'ERROR' OR NOT v_s.is_settled OR v_s.desired <> 'running'
            OR v_s.settled_at > now() - p_grace_ms * interval '1 millisecond';
        PERFORM fs_sandbox_turn(v_s, 'terminated', 'TERMINATING', NULL, now());
        UPDATE projects SET updated_at = greatest(updated_at, now()) WHERE id = v_id;
        v_last := fs_journal_add(v_owner, v_id, v_s.attempt, CASE WHEN p_notify THEN p_replica END, ARRAY['status'],
            ARRAY[NULL::text], ARRAY[NULL::text], ARRAY['TERMINATING'], ARRAY[NULL::text], ARRAY[''],
            ARRAY['nobody tried the failed creation again in time: what it made is removed, the database is kept'],
            ARRAY[fs_ms(now())], ARRAY[NULL::bigint]);
        RETURN QUERY SELECT * FROM journal WHERE owner_id = v_owner AND seq = v_last;
    END LOOP;
END $$;

-- One row per cluster: who compares it now, and what the last comparison came to. Results are texts of core/sweep.h.
CREATE TABLE sweeps (
    cluster text PRIMARY KEY,
    replica text, -- that compares; NULL: none
    lease_until timestamptz,
    started_at timestamptz,
    ended_at timestamptz, -- of the last comparison that ended
    result text NOT NULL DEFAULT 'never',
    detail text NOT NULL DEFAULT '',
    objects_n bigint NOT NULL DEFAULT 0,
    counts text NOT NULL DEFAULT '' -- "verdict=number ..."
);

-- What the last comparisons found worth telling. first_seen_at is what a grace is counted from; a row goes when a
-- comparison that looked at its kind does not find it any more.
CREATE TABLE sweep_findings (
    cluster text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    uid text NOT NULL, -- empty: of a row whose object is missing
    project_id text NOT NULL,
    verdict text NOT NULL,
    detail text NOT NULL DEFAULT '',
    made_at timestamptz,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cluster, kind, name, uid)
);

-- Takes the comparison of a cluster, unless another replica is at it or the last one ended less than p_age_ms ago.
CREATE FUNCTION fs_sweep_begin(p_cluster text, p_replica text, p_age_ms bigint, p_lease_ms bigint)
    RETURNS TABLE (out_begun boolean, out_now_ms bigint) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sweeps (cluster) VALUES (p_cluster) ON CONFLICT DO NOTHING;
    UPDATE sweeps SET replica = p_replica, started_at = now(), lease_until = now() + p_lease_ms * interval '1 millisecond'
        WHERE cluster = p_cluster AND (replica IS NULL OR replica = p_replica OR lease_until <= now() OR NOT fs_is_alive(replica))
            AND (ended_at IS NULL OR result = 'unknown' OR ended_at <= now() - p_age_ms * interval '1 millisecond');
    RETURN QUERY SELECT FOUND, fs_ms(now());
END $$;

-- Writes what a comparison found. False: another replica took it over meanwhile, nothing is written.
CREATE FUNCTION fs_sweep_end(p_cluster text, p_replica text, p_result text, p_detail text, p_objects_n bigint,
    p_counts text, p_looked_at text[], p_kinds text[], p_names text[], p_uids text[], p_projects text[],
    p_verdicts text[], p_details text[], p_mades bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sweeps SET replica = NULL, lease_until = NULL, ended_at = now(), result = p_result, detail = p_detail,
            objects_n = p_objects_n, counts = p_counts
        WHERE cluster = p_cluster AND replica = p_replica;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO sweep_findings AS f (cluster, kind, name, uid, project_id, verdict, detail, made_at)
        SELECT p_cluster, v.kind, v.name, v.uid, v.project, v.verdict, v.detail, fs_at(nullif(v.made, -1))
        FROM unnest(p_kinds, p_names, p_uids, p_projects, p_verdicts, p_details, p_mades)
            AS v (kind, name, uid, project, verdict, detail, made)
        ON CONFLICT (cluster, kind, name, uid) DO UPDATE SET verdict = excluded.verdict, detail = excluded.detail,
            seen_at = now();
    DELETE FROM sweep_findings WHERE cluster = p_cluster AND kind = ANY (p_looked_at) AND seen_at < now();
    RETURN true;
END $$;

-- What the rows say of objects: one row each, in their order. out_is_ours: the project is one of this database's, or was.
CREATE FUNCTION fs_sweep_match(p_cluster text, p_kinds text[], p_names text[], p_uids text[], p_projects text[])
    RETURNS TABLE (out_is_ours boolean, out_has_row boolean, out_status text, out_is_settled boolean, out_name text,
        out_database text, out_seen_ms bigint, out_now_ms bigint) LANGUAGE sql STABLE AS $$
    SELECT p.id IS NOT NULL OR EXISTS (SELECT FROM journal j WHERE j.project_id = a.project), s.project_id IS NOT NULL,
        s.status, coalesce(s.is_settled, true), s.name, d.name, fs_ms(f.first_seen_at), fs_ms(now())
    FROM unnest(p_kinds, p_names, p_uids, p_projects) WITH ORDINALITY AS a (kind, name, uid, project, n)
        LEFT JOIN projects p ON p.id = a.project
        LEFT JOIN sandboxes s ON s.project_id = a.project
        LEFT JOIN databases d ON d.project_id = a.project
        LEFT JOIN sweep_findings f ON f.cluster = p_cluster AND f.kind = a.kind AND f.name = a.name AND f.uid = a.uid
    ORDER BY a.n
$$;
