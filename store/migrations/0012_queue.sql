-- SPDX-License-Identifier: MIT
-- Creations wait for their turn where as many as may be are under way, and a user has as many projects and sandboxes as
-- may be. A creation that waits is led by nobody: whoever gives it its turn leads it from then on. Own SQLSTATEs, with
-- "limit number" as their detail: FS012 too many wait, FS013 and FS014 the user has too many projects, sandboxes; and
-- FS015 a start that would have to wait came while the stop before it is under way.
-- Locks are taken in the order projects, sandboxes, cluster, queue, users, databases, journal_counters (of several owners
-- by name); whoever holds the queue's waits for no project and no sandbox.

ALTER TABLE sandboxes
    ADD COLUMN queued_at timestamptz, -- it waits since then, if fs_waits; also of one whose wish changed while it waited
    ADD COLUMN queue_is_new boolean, -- its names were drawn when it began to wait: nothing of it exists
    ADD COLUMN queue_position integer, -- as told last
    ADD COLUMN queue_wait_ms bigint, -- so long, as told last; NULL: not known
    ADD COLUMN queue_told_at timestamptz; -- when that was, or when its turn came
ALTER TABLE users ADD COLUMN served_at timestamptz; -- when a creation of theirs last left the queue
-- With a position a row of kind "status" is an event "queued", whose duration_ms is how long it will probably wait.
-- A server of the version before reads it as words of the status.
ALTER TABLE journal ADD COLUMN position integer;

CREATE FUNCTION fs_waits(s sandboxes) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT s.queued_at IS NOT NULL AND s.lease_owner IS NULL AND s.desired = 'running' AND NOT s.is_settled $$;
-- Is it a creation under way? Then it has a slot. A repair of what ran needs none.
CREATE FUNCTION fs_builds(s sandboxes) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT s.is_settled AND s.desired = 'running' AND NOT fs_waits(s) AND s.drift_attempt IS DISTINCT FROM s.attempt $$;
CREATE INDEX sandboxes_queue ON sandboxes (queued_at)
    WHERE queued_at IS NOT NULL AND lease_owner IS NULL AND desired = 'running' AND NOT is_settled;

-- Who waits and in which order: everybody's first before anybody's second; among those who was served longest ago, then
-- who waits longest. Each lane is counted by itself: the clusters, or all together where p_is_shared.
CREATE FUNCTION fs_queue(p_is_shared boolean)
    RETURNS TABLE (project_id text, owner_id text, cluster text, lane text, place bigint) LANGUAGE sql STABLE AS $$
    SELECT q.project_id, q.owner_id, q.cluster, q.lane,
           row_number() OVER (PARTITION BY q.lane ORDER BY q.turn, q.served_at NULLS FIRST, q.queued_at, q.project_id)
    FROM (SELECT w.*, row_number() OVER (PARTITION BY w.owner_id, w.lane ORDER BY w.queued_at, w.project_id) AS turn
          FROM (SELECT s.project_id, p.owner_id, p.cluster, s.queued_at, u.served_at,
                       CASE WHEN p_is_shared THEN '' ELSE p.cluster END AS lane
                FROM sandboxes s JOIN projects p ON p.id = s.project_id JOIN users u ON u.id = p.owner_id
                WHERE fs_waits(s)) w) q $$;

-- How many milliseconds the slots of each lane are still taken, by how long a creation usually takes; soonest first.
CREATE FUNCTION fs_slots(p_is_shared boolean, p_usual_ms bigint) RETURNS TABLE (lane text, lefts bigint[])
    LANGUAGE sql STABLE AS $$
    SELECT b.lane, array_agg(b.left_ms ORDER BY b.left_ms)
    FROM (SELECT CASE WHEN p_is_shared THEN '' ELSE p.cluster END AS lane,
                 greatest(p_usual_ms - (fs_ms(clock_timestamp()) - fs_ms(coalesce(s.queue_told_at, s.attempt_started_at))),
                          p_usual_ms / 10) AS left_ms
          FROM sandboxes s JOIN projects p ON p.id = s.project_id
          WHERE fs_builds(s)) b
    GROUP BY b.lane $$;

-- NULL: not known.
CREATE FUNCTION fs_queue_wait(p_place bigint, p_lefts bigint[], p_usual_ms bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_usual_ms > 0 THEN p_lefts[(p_place - 1) % cardinality(p_lefts) + 1]
                                         + (p_place - 1) / cardinality(p_lefts) * p_usual_ms END $$;

CREATE FUNCTION fs_queue_words(p_place bigint, p_wait_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'waiting for its turn: position ' || p_place || CASE
        WHEN p_wait_ms IS NULL THEN ''
        WHEN p_wait_ms <= 90000 THEN ', about ' || greatest(5, ceil(p_wait_ms / 5000.0) * 5) || ' s'
        ELSE ', about ' || ceil(p_wait_ms / 60000.0) || ' min' END $$;

-- Is a place worth another event? Each of the first five is; further behind it has to move by a quarter forwards or by half
-- backwards. And what was told must not stand long after the time it spoke of.
CREATE FUNCTION fs_queue_is_news(s sandboxes, p_place bigint, p_wait_ms bigint, p_gap_ms bigint, p_late_ms bigint)
    RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT s.queue_position IS NULL OR s.queue_wait_ms IS NULL AND p_wait_ms IS NOT NULL
        OR clock_timestamp() > s.queue_told_at + p_gap_ms * interval '1 millisecond' AND (
            p_place <= 5 AND p_place <> s.queue_position OR p_place * 4 <= s.queue_position * 3
            OR p_place * 2 > s.queue_position * 3
            OR clock_timestamp() > s.queue_told_at + (coalesce(s.queue_wait_ms, 0) + p_late_ms) * interval '1 millisecond') $$;

-- Tells the other replicas of a row, as fs_journal_add does. p_replica: who wrote it; NULL: nobody is notified.
CREATE FUNCTION fs_journal_notify(j journal, p_replica text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('fsd_journal', json_build_object('replica', p_replica, 'owner', j.owner_id, 'project', j.project_id,
        'seq', j.seq, 'attempt', j.attempt, 'kind', j.kind, 'stage', j.stage, 'stage_status', j.stage_status,
        'status', j.status, 'outcome', j.outcome, 'code', j.code, 'message', j.message, 'at', fs_ms(j.at),
        'duration', j.duration_ms, 'position', j.position)::text)
    WHERE p_replica IS NOT NULL $$;

-- One event of kind "status" for each of the projects, of any owners. p_places: NULL, or those of events "queued".
CREATE FUNCTION fs_journal_add_each(p_projects text[], p_messages text[], p_places integer[], p_waits bigint[],
    p_replica text, p_at_ms bigint) RETURNS SETOF journal LANGUAGE plpgsql AS $$
DECLARE
    v_j journal;
BEGIN
    FOR v_j IN
        WITH e AS (
            SELECT u.n, p.id, p.owner_id, s.attempt, s.status, u.message, u.place, u.wait
            FROM unnest(p_projects, p_messages, p_places, p_waits) WITH ORDINALITY AS u (project, message, place, wait, n)
            JOIN projects p ON p.id = u.project JOIN sandboxes s ON s.project_id = u.project
        ), c AS (
            INSERT INTO journal_counters AS o (owner_id, seq)
                SELECT e.owner_id, count(*) FROM e GROUP BY e.owner_id ORDER BY e.owner_id
                ON CONFLICT (owner_id) DO UPDATE SET seq = o.seq + excluded.seq RETURNING o.owner_id, o.seq
        )
        INSERT INTO journal (owner_id, seq, project_id, attempt, kind, status, message, at, duration_ms, position)
            SELECT e.owner_id, c.seq - count(*) OVER (PARTITION BY e.owner_id)
                   + row_number() OVER (PARTITION BY e.owner_id ORDER BY e.n),
                   e.id, e.attempt, 'status', e.status, e.message, fs_at(p_at_ms), e.wait, e.place
            FROM e JOIN c ON c.owner_id = e.owner_id ORDER BY e.owner_id, e.n RETURNING journal.*
    LOOP
        PERFORM fs_journal_notify(v_j, p_replica);
        RETURN NEXT v_j;
    END LOOP;
END $$;

-- ---- entering ----

-- May the user lead another sandbox towards running? Counted is what is wished to run: also what failed and is kept.
CREATE FUNCTION fs_user_admit(p_owner text, p_project text, p_max bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_n bigint;
BEGIN
    PERFORM FROM users WHERE id = p_owner FOR NO KEY UPDATE;
    SELECT count(*) INTO v_n FROM projects p JOIN sandboxes s ON s.project_id = p.id
        WHERE p.owner_id = p_owner AND s.desired = 'running' AND p.id <> p_project;
    IF v_n >= p_max THEN
        RAISE EXCEPTION 'you have % sandboxes that run or are to run, as many as you may; stop or delete one', v_n
            USING ERRCODE = 'FS014', DETAIL = p_max || ' ' || v_n;
    END IF;
END $$;

-- Does a creation have to wait? p_max: of creations in its cluster, of this replica, in all, of those that wait.
CREATE FUNCTION fs_queue_enter(s sandboxes, p_project text, p_cluster text, p_replica text, p_max bigint[])
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_here bigint := 0;
    v_mine bigint;
    v_all bigint;
    v_waiting bigint;
BEGIN
    IF p_max[1] = 0 AND p_max[2] = 0 AND p_max[3] = 0 THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('fs_queue'), 0);
    SELECT count(*) FILTER (WHERE fs_builds(o)), count(*) FILTER (WHERE fs_builds(o) AND o.lease_owner = p_replica),
           count(*) FILTER (WHERE fs_waits(o))
        INTO v_all, v_mine, v_waiting FROM sandboxes o
        WHERE NOT o.is_settled AND o.desired = 'running' AND o.project_id <> p_project;
    IF p_max[1] > 0 THEN
        SELECT count(*) INTO v_here FROM sandboxes o JOIN projects p ON p.id = o.project_id
            WHERE fs_builds(o) AND p.cluster = p_cluster AND o.project_id <> p_project;
    END IF;
    IF v_waiting = 0 AND (p_max[1] = 0 OR v_here < p_max[1]) AND (p_max[2] = 0 OR v_mine < p_max[2])
        AND (p_max[3] = 0 OR v_all < p_max[3]) THEN
        RETURN false;
    END IF;
    IF NOT coalesce(s.is_settled, true) THEN
        RAISE EXCEPTION 'the sandbox is being stopped, and a start would have to wait; try again when it is stopped'
            USING ERRCODE = 'FS015';
    ELSIF v_waiting >= p_max[4] THEN
        RAISE EXCEPTION 'as many sandboxes are being created as may be, and % wait; try again in a moment', v_waiting
            USING ERRCODE = 'FS012', DETAIL = p_max[4] || ' ' || v_waiting;
    END IF;
    RETURN true;
END $$;

-- Lets a creation wait, and tells its place.
-- s: its row as it was before the request.
CREATE FUNCTION fs_queue_put(s sandboxes, p_project text, p_is_shared boolean, p_usual_ms bigint, p_replica text, p_at_ms bigint)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_place bigint;
    v_wait bigint;
    v_seq bigint;
BEGIN
    UPDATE sandboxes SET queued_at = clock_timestamp(), lease_owner = NULL,
            queue_is_new = s.project_id IS NULL OR s.status = 'TERMINATED'
        WHERE project_id = p_project;
    SELECT q.place, fs_queue_wait(q.place, l.lefts, p_usual_ms) INTO v_place, v_wait
        FROM fs_queue(p_is_shared) q LEFT JOIN fs_slots(p_is_shared, p_usual_ms) l ON l.lane = q.lane
        WHERE q.project_id = p_project;
    UPDATE sandboxes SET queue_position = v_place, queue_wait_ms = v_wait, queue_told_at = clock_timestamp(),
            message = fs_queue_words(v_place, v_wait)
        WHERE project_id = p_project;
    SELECT seq INTO v_seq FROM fs_journal_add_each(ARRAY[p_project], ARRAY[fs_queue_words(v_place, v_wait)],
        ARRAY[v_place::integer], ARRAY[v_wait], p_replica, p_at_ms);
    RETURN v_seq;
END $$;

-- Of a creation that never began nothing is left to be undone. NULL: it is not so, whoever leads it has to look.
CREATE FUNCTION fs_queue_leave(s sandboxes, p_owner text, p_desired text, p_replica text, p_at_ms bigint)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_is_delete boolean := p_desired IN ('deleted', 'detached');
    v_outcome text := CASE WHEN v_is_delete THEN 'deleted' ELSE 'cancelled' END;
    v_code text := CASE WHEN v_is_delete THEN '' ELSE 'CANCELLED' END;
    v_message text := CASE WHEN v_is_delete THEN 'the project is deleted' ELSE 'the creation was cancelled before it began' END;
BEGIN
    IF NOT s.queue_is_new OR p_desired NOT IN ('terminated', 'deleted', 'detached') OR v_is_delete AND s.attempt > 1 THEN
        RETURN NULL; -- a database of an attempt before it may exist
    END IF;
    UPDATE sandboxes SET status = 'TERMINATED', desired = p_desired, code = v_code, message = v_message, is_settled = true,
            -- As core/flow_clocks.c writes it: whatever is asked for next does not end this creation once more.
            steps = json_build_object('attempt', s.attempt, 'ended', true)::text, queued_at = NULL, fence = fence + 1, updated_at = fs_at(p_at_ms)
        WHERE project_id = s.project_id;
    IF v_is_delete THEN
        DELETE FROM projects WHERE id = s.project_id;
    ELSE
        UPDATE projects SET updated_at = greatest(updated_at, fs_at(p_at_ms)) WHERE id = s.project_id;
    END IF;
    RETURN fs_journal_add(p_owner, s.project_id, s.attempt, p_replica, ARRAY['done'], ARRAY[NULL::text],
        ARRAY[NULL::text], ARRAY['TERMINATED'], ARRAY[v_outcome], ARRAY[v_code], ARRAY[v_message], ARRAY[p_at_ms],
        ARRAY[p_at_ms - fs_ms(s.attempt_started_at)]);
END $$;

-- fs_sandbox_request within limits. p_max: of sandboxes of the user and in the cluster; of creations in the cluster, of this
-- replica, in all; of creations that wait. 0: no limit (of those that wait: none may). p_usual_ms: how long a creation
-- takes; 0: not known. One row for each event.
CREATE FUNCTION fs_sandbox_ask(p_owner text, p_project text, p_desired text, p_replica text, p_at_ms bigint, p_id text,
    p_names text[], p_port_names text[], p_env_box bytea, p_notify boolean, p_states text[], p_is_again boolean,
    p_max bigint[], p_usual_ms bigint)
    RETURNS TABLE (out_result text, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
DECLARE
    v_s sandboxes;
    v_cluster text;
    v_result text;
    v_waits boolean := false;
    v_writer text := CASE WHEN p_notify THEN p_replica END;
    v_first bigint;
    v_last bigint;
BEGIN
    SELECT cluster INTO v_cluster FROM projects WHERE id = p_project AND owner_id = p_owner FOR UPDATE;
    IF NOT FOUND THEN
        RETURN; -- no row: MISSING
    END IF;
    SELECT * INTO v_s FROM sandboxes WHERE project_id = p_project FOR UPDATE;
    v_result := fs_request_verdict(v_s, p_desired, p_states, p_is_again);
    IF v_result = 'started' AND p_desired = 'running' THEN
        IF p_max[2] > 0 THEN
            PERFORM fs_cluster_admit(p_owner, p_project, p_max[2], 0);
        END IF;
        v_waits := fs_queue_enter(v_s, p_project, v_cluster, p_replica, p_max[3:6]);
        IF p_max[1] > 0 THEN
            PERFORM fs_user_admit(p_owner, p_project, p_max[1]);
        END IF;
    ELSIF v_result = 'started' AND fs_waits(v_s) THEN
        v_first := fs_queue_leave(v_s, p_owner, p_desired, v_writer, p_at_ms);
    END IF;
    IF v_first IS NULL THEN
        SELECT (f.out_j).seq INTO v_first FROM fs_sandbox_request(p_owner, p_project, p_desired, p_replica, p_at_ms, p_id,
            p_names, p_port_names, p_env_box, p_notify, p_states, p_is_again) f;
        IF v_result = 'started' AND v_s.queued_at IS NOT NULL AND NOT (fs_waits(v_s) AND p_desired <> 'running') THEN
            UPDATE sandboxes SET queued_at = NULL, queue_position = NULL, queue_wait_ms = NULL, queue_told_at = NULL
                WHERE project_id = p_project;
        END IF;
    END IF;
    v_last := v_first;
    IF v_waits THEN
        v_last := fs_queue_put(v_s, p_project, p_max[4] > 0 OR p_max[5] > 0, p_usual_ms, v_writer, p_at_ms);
    END IF;
    RETURN QUERY SELECT v_result, s, p, d, j
        FROM (SELECT) one
        LEFT JOIN projects p ON p.id = p_project
        LEFT JOIN sandboxes s ON s.project_id = p_project
        LEFT JOIN databases d ON d.project_id = p_project
        LEFT JOIN journal j ON j.owner_id = p_owner AND j.seq BETWEEN v_first AND v_last
        ORDER BY j.seq;
END $$;

-- A user's new project, if he may have another; 0: no limit. One that is made already is found; without a row it is somebody
-- else's.
CREATE FUNCTION fs_project_create(p_id text, p_owner text, p_name text, p_description text, p_cluster text, p_max bigint)
    RETURNS SETOF projects LANGUAGE plpgsql AS $$
DECLARE
    v_n bigint;
BEGIN
    IF p_max > 0 THEN
        PERFORM FROM users WHERE id = p_owner FOR NO KEY UPDATE;
        SELECT count(*) INTO v_n FROM projects WHERE owner_id = p_owner;
        IF v_n >= p_max AND NOT EXISTS (SELECT FROM projects WHERE id = p_id) THEN
            RAISE EXCEPTION 'you have % projects, as many as you may; delete one', v_n
                USING ERRCODE = 'FS013', DETAIL = p_max || ' ' || v_n;
        END IF;
    END IF;
    RETURN QUERY INSERT INTO projects AS p (id, owner_id, name, description, cluster)
        VALUES (p_id, p_owner, p_name, p_description, p_cluster)
        ON CONFLICT (id) DO UPDATE SET id = excluded.id WHERE p.owner_id = excluded.owner_id RETURNING p.*;
END $$;

-- ---- leaving ----

-- Gives those whose turn it is to p_replica; their ids. p_max: as fs_queue_admit has it.
CREATE FUNCTION fs_queue_serve(p_replica text, p_max bigint[], p_clusters text[], p_cluster_max bigint[])
    RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_ids text[] := '{}';
    v_free bigint := p_max[1];
    v_here bigint[];
    v_i integer;
    v_all bigint;
    v_mine bigint;
    w record;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE o.lease_owner = p_replica) INTO v_all, v_mine FROM sandboxes o
        WHERE fs_builds(o);
    v_free := least(v_free, CASE WHEN p_max[2] > 0 THEN p_max[2] - v_mine END, CASE WHEN p_max[3] > 0 THEN p_max[3] - v_all END);
    IF v_free <= 0 THEN
        RETURN v_ids;
    END IF;
    v_here := ARRAY(SELECT c.max - (SELECT count(*) FROM sandboxes o JOIN projects p ON p.id = o.project_id
            WHERE fs_builds(o) AND p.cluster = c.name)
        FROM unnest(p_clusters, p_cluster_max) WITH ORDINALITY AS c (name, max, n) ORDER BY c.n);
    FOR w IN SELECT q.project_id, q.owner_id, q.cluster FROM fs_queue(p_max[2] > 0 OR p_max[3] > 0) q ORDER BY q.place LOOP
        EXIT WHEN v_free <= 0;
        v_i := array_position(p_clusters, w.cluster);
        CONTINUE WHEN v_i IS NOT NULL AND v_here[v_i] <= 0;
        -- One that is being asked something right now is left to that.
        PERFORM FROM sandboxes s WHERE s.project_id = w.project_id AND fs_waits(s) FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        UPDATE sandboxes SET lease_owner = p_replica, fence = fence + 1, queued_at = NULL, queue_position = NULL,
                queue_wait_ms = NULL, queue_told_at = clock_timestamp(), code = '', message = '', updated_at = now()
            WHERE project_id = w.project_id;
        UPDATE users SET served_at = clock_timestamp() WHERE id = w.owner_id;
        v_ids := v_ids || w.project_id;
        v_free := v_free - 1;
        IF v_i IS NOT NULL THEN
            v_here[v_i] := v_here[v_i] - 1;
        END IF;
    END LOOP;
    RETURN v_ids;
END $$;

-- The events "queued" that are due, the first p_max[4] of them.
CREATE FUNCTION fs_queue_tell(p_max bigint[], p_usual_ms bigint, p_replica text, p_at_ms bigint)
    RETURNS SETOF journal LANGUAGE plpgsql AS $$
DECLARE
    v_is_shared boolean := p_max[2] > 0 OR p_max[3] > 0;
    v_ids text[];
    v_places integer[];
    v_waits bigint[];
    v_words text[];
BEGIN
    WITH q AS (
        SELECT w.project_id, w.place, fs_queue_wait(w.place, l.lefts, p_usual_ms) AS wait
        FROM fs_queue(v_is_shared) w LEFT JOIN fs_slots(v_is_shared, p_usual_ms) l ON l.lane = w.lane
    ), due AS (
        SELECT s.project_id, q.place, q.wait FROM sandboxes s JOIN q ON q.project_id = s.project_id
        WHERE fs_queue_is_news(s, q.place, q.wait, p_max[5], p_max[6]) ORDER BY q.place LIMIT p_max[4]
        FOR UPDATE OF s SKIP LOCKED
    ), told AS (
        UPDATE sandboxes s SET queue_position = due.place, queue_wait_ms = due.wait, queue_told_at = clock_timestamp(),
                message = fs_queue_words(due.place, due.wait)
            FROM due WHERE s.project_id = due.project_id AND fs_waits(s)
            RETURNING s.project_id, due.place, due.wait, s.message
    )
    SELECT array_agg(t.project_id ORDER BY t.place), array_agg(t.place::integer ORDER BY t.place),
           array_agg(t.wait ORDER BY t.place), array_agg(t.message ORDER BY t.place)
        INTO v_ids, v_places, v_waits, v_words FROM told t;
    IF v_ids IS NOT NULL THEN
        RETURN QUERY SELECT * FROM fs_journal_add_each(v_ids, v_words, v_places, v_waits, p_replica, p_at_ms);
    END IF;
END $$;

-- One look at the queue: whoever's turn it is goes to p_replica, and places that have moved are told. p_max: at once; of
-- creations of this replica, in all; of events; ms between two events of a creation; ms after which one is stale.
-- A row for each event, with a sandbox where it says that its turn came; at least one row, which says how many wait.
CREATE FUNCTION fs_queue_admit(p_replica text, p_max bigint[], p_clusters text[], p_cluster_max bigint[],
    p_usual_ms bigint, p_at_ms bigint, p_is_telling boolean, p_notify boolean)
    RETURNS TABLE (out_waiting bigint, out_s sandboxes, out_p projects, out_d databases, out_j journal)
    LANGUAGE plpgsql AS $$
DECLARE
    v_ids text[] := '{}';
    v_writer text := CASE WHEN p_notify THEN p_replica END;
    v_j journal[] := '{}';
BEGIN
    IF EXISTS (SELECT FROM sandboxes s WHERE fs_waits(s)) THEN
        PERFORM pg_advisory_xact_lock(hashtext('fs_queue'), 0);
        v_ids := fs_queue_serve(p_replica, p_max, p_clusters, p_cluster_max);
        IF cardinality(v_ids) > 0 THEN
            v_j := ARRAY(SELECT j FROM fs_journal_add_each(v_ids, array_fill('its turn has come'::text, ARRAY[cardinality(v_ids)]),
                array_fill(NULL::integer, ARRAY[cardinality(v_ids)]), array_fill(NULL::bigint, ARRAY[cardinality(v_ids)]),
                v_writer, p_at_ms) j);
        END IF;
        IF p_is_telling THEN
            v_j := v_j || ARRAY(SELECT j FROM fs_queue_tell(p_max, p_usual_ms, v_writer, p_at_ms) j);
        END IF;
    END IF;
    RETURN QUERY SELECT w.n, s, p, d, j
        FROM (SELECT count(*) AS n FROM sandboxes o WHERE fs_waits(o)) w
        LEFT JOIN unnest(v_j) j ON true
        LEFT JOIN sandboxes s ON s.project_id = j.project_id AND j.project_id = ANY (v_ids)
        LEFT JOIN projects p ON p.id = s.project_id
        LEFT JOIN databases d ON d.project_id = s.project_id
        ORDER BY j.owner_id, j.seq;
END $$;
