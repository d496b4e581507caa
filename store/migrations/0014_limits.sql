-- SPDX-License-Identifier: MIT
-- Limits of a project: how long its sandbox may run unused, and how long at a time; by whose clock it is stopped. The
-- clock is PostgreSQL's. Rows stand between sandboxes and databases in the order of locks.

CREATE TABLE project_limits (
    project_id text PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    idle_stop_ms bigint, -- the owner's own; NULL: as the server is configured, 0: never
    max_age_ms bigint, -- as above
    active_at timestamptz NOT NULL, -- last use that was heard of
    stops_at timestamptz, -- a stop that was announced
    stops_why text, -- idle, age
    stops_attempt integer -- of which attempt
) WITH (fillfactor = 70);
CREATE INDEX project_limits_own ON project_limits (project_id) WHERE idle_stop_ms > 0 OR max_age_ms > 0 OR stops_at IS NOT NULL;

-- What holds of an owner's own limit and the server's; 0: none.
CREATE FUNCTION fs_limit(p_own bigint, p_server bigint, p_may_extend boolean) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_own IS NULL THEN p_server
                WHEN p_may_extend OR p_server = 0 THEN p_own
                WHEN p_own = 0 THEN p_server
                ELSE least(p_own, p_server) END
$$;

-- 2 h, 90 min, 45 s
CREATE FUNCTION fs_span(p_ms bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN s % 3600 = 0 THEN s / 3600 || ' h' WHEN s % 60 = 0 THEN s / 60 || ' min' ELSE s || ' s' END
    FROM (SELECT (p_ms + 999) / 1000 AS s) t
$$;

-- When a sandbox that runs is to be stopped; infinity: never. Idle time begins when it last came up at the earliest.
CREATE FUNCTION fs_idle_due(p_up_at timestamptz, p_active_at timestamptz, p_limit_ms bigint) RETURNS timestamptz
    LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_limit_ms > 0 THEN greatest(p_up_at, p_active_at) + p_limit_ms * interval '1 millisecond'
                ELSE 'infinity'::timestamptz END
$$;
CREATE FUNCTION fs_age_due(p_started_at timestamptz, p_limit_ms bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_limit_ms > 0 THEN p_started_at + p_limit_ms * interval '1 millisecond' ELSE 'infinity'::timestamptz END
$$;

-- Does the one thing that is most due to a sandbox that runs: announces a stop (warned), takes the announcement back
-- (kept), or stops it (stopped). none: nothing is due; off: nothing has a limit.
CREATE FUNCTION fs_limits_look(p_replica text, p_idle_ms bigint, p_age_ms bigint, p_warning_ms bigint,
    p_may_extend boolean, p_notify boolean) RETURNS TABLE (out_verdict text, out_j journal) LANGUAGE plpgsql AS $$
DECLARE
    v_warning interval := p_warning_ms * interval '1 millisecond';
    v_id text;
    v_owner text;
    v_s sandboxes;
    v_l project_limits;
    v_why text;
    v_due timestamptz;
    v_idle_ms bigint;
    v_age_ms bigint;
    v_left_ms bigint;
    v_verdict text;
    v_code text := '';
    v_message text;
    v_last bigint;
BEGIN
    IF p_idle_ms = 0 AND p_age_ms = 0 AND NOT EXISTS (SELECT FROM project_limits
        WHERE idle_stop_ms > 0 OR max_age_ms > 0 OR stops_at IS NOT NULL) THEN
        RETURN QUERY SELECT 'off', NULL::journal;
        RETURN;
    END IF;
    FOR v_id IN
        SELECT s.project_id FROM sandboxes s LEFT JOIN project_limits l ON l.project_id = s.project_id
            CROSS JOIN LATERAL (SELECT fs_idle_due(s.updated_at, l.active_at, fs_limit(l.idle_stop_ms, p_idle_ms, p_may_extend)) AS idle,
                                       fs_age_due(s.attempt_started_at, fs_limit(l.max_age_ms, p_age_ms, p_may_extend)) AS age) d
        WHERE s.status = 'RUNNING' AND s.is_settled
            AND CASE WHEN l.stops_at IS NULL THEN least(d.idle, d.age) <= now() + v_warning
                     ELSE l.stops_at <= now() OR least(d.idle, d.age) > l.stops_at OR l.stops_attempt <> s.attempt END
        ORDER BY coalesce(l.stops_at, least(d.idle, d.age)) LIMIT 20
    LOOP
        -- Another replica may be at it, or was while this one looked.
        SELECT owner_id INTO v_owner FROM projects WHERE id = v_id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        SELECT * INTO v_s FROM sandboxes WHERE project_id = v_id FOR UPDATE;
        CONTINUE WHEN NOT FOUND OR v_s.status <> 'RUNNING' OR NOT v_s.is_settled;
        INSERT INTO project_limits (project_id, active_at) VALUES (v_id, v_s.updated_at) ON CONFLICT (project_id) DO NOTHING;
        UPDATE project_limits SET stops_at = NULL WHERE project_id = v_id AND stops_attempt <> v_s.attempt;
        SELECT * INTO v_l FROM project_limits WHERE project_id = v_id FOR UPDATE;
        v_idle_ms := fs_limit(v_l.idle_stop_ms, p_idle_ms, p_may_extend);
        v_age_ms := fs_limit(v_l.max_age_ms, p_age_ms, p_may_extend);
        v_due := least(fs_idle_due(v_s.updated_at, v_l.active_at, v_idle_ms), fs_age_due(v_s.attempt_started_at, v_age_ms));
        v_why := CASE v_due WHEN fs_age_due(v_s.attempt_started_at, v_age_ms) THEN 'age' ELSE 'idle' END;
        IF v_l.stops_at IS NOT NULL AND v_due > v_l.stops_at THEN
            v_verdict := 'kept';
            v_message := CASE WHEN v_l.stops_why = 'idle' AND isfinite(v_due) AND v_l.active_at > v_l.stops_at - v_warning
                              THEN 'it is used and does not stop' ELSE 'its limits have changed, it does not stop' END;
        ELSIF coalesce(v_l.stops_at, v_due) <= now() AND (v_l.stops_at IS NOT NULL OR p_warning_ms = 0) THEN
            v_verdict := 'stopped';
            v_code := CASE v_why WHEN 'idle' THEN 'IDLE_STOP' ELSE 'AGE_STOP' END;
            v_message := 'stop requested: ' || CASE v_why WHEN 'idle' THEN 'not used for ' || fs_span(v_idle_ms) ELSE 'it ran for ' || fs_span(v_age_ms) END;
        ELSIF v_l.stops_at IS NULL AND v_due <= now() + v_warning AND p_warning_ms > 0 THEN
            -- Also for a time that has passed while no replica ran: nobody is stopped unwarned.
            v_verdict := 'warned';
            v_due := now() + v_warning;
            v_left_ms := p_warning_ms;
            v_code := CASE v_why WHEN 'idle' THEN 'IDLE_SOON' ELSE 'AGE_SOON' END;
            v_message := CASE v_why WHEN 'idle' THEN format('it stops in %s unless it is used: it may be idle for %s', fs_span(v_left_ms), fs_span(v_idle_ms))
                                    ELSE format('it stops in %s: it may run for %s at a time', fs_span(v_left_ms), fs_span(v_age_ms)) END;
        ELSE
            CONTINUE;
        END IF;
        UPDATE project_limits SET stops_at = CASE v_verdict WHEN 'warned' THEN v_due END, stops_why = v_why,
                stops_attempt = v_s.attempt WHERE project_id = v_id;
        IF v_verdict = 'stopped' THEN
            PERFORM fs_sandbox_turn(v_s, 'stopped', 'STOPPING', p_replica, now());
            UPDATE projects SET updated_at = greatest(updated_at, now()) WHERE id = v_id;
        ELSE
            UPDATE sandboxes SET code = v_code, message = CASE v_verdict WHEN 'warned' THEN v_message ELSE '' END
                WHERE project_id = v_id;
        END IF;
        v_last := fs_journal_add(v_owner, v_id, v_s.attempt, CASE WHEN p_notify THEN p_replica END, ARRAY['status'],
            ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[CASE v_verdict WHEN 'stopped' THEN 'STOPPING' ELSE 'RUNNING' END],
            ARRAY[NULL::text], ARRAY[v_code], ARRAY[v_message], ARRAY[fs_ms(now())], ARRAY[v_left_ms]);
        RETURN QUERY SELECT v_verdict, j FROM journal j WHERE j.owner_id = v_owner AND j.seq = v_last;
        RETURN;
    END LOOP;
    RETURN QUERY SELECT 'none', NULL::journal;
END $$;

-- Setting a limit is a use. No row: the project is unknown.
CREATE FUNCTION fs_limits_set(p_owner text, p_project text, p_idle_ms bigint, p_age_ms bigint)
    RETURNS SETOF project_limits LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects WHERE id = p_project AND owner_id = p_owner FOR UPDATE;
    IF FOUND THEN
        RETURN QUERY INSERT INTO project_limits AS l (project_id, idle_stop_ms, max_age_ms, active_at)
            VALUES (p_project, p_idle_ms, p_age_ms, now())
            ON CONFLICT (project_id) DO UPDATE SET idle_stop_ms = p_idle_ms, max_age_ms = p_age_ms, active_at = now()
            RETURNING l.*;
    END IF;
END $$;

-- Uses that were heard of, so many ms ago each; what is not its owner's use is left out. Projects are locked first, as
-- everywhere.
CREATE FUNCTION fs_activity(p_projects text[], p_owners text[], p_ages_ms bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects WHERE id = ANY (p_projects) ORDER BY id FOR KEY SHARE;
    INSERT INTO project_limits AS l (project_id, active_at)
        SELECT p.id, now() - max(u.age) * interval '1 millisecond'
        FROM unnest(p_projects, p_owners, p_ages_ms) AS u (project, owner, age)
            JOIN projects p ON p.id = u.project AND p.owner_id = u.owner
        GROUP BY p.id ORDER BY p.id
        ON CONFLICT (project_id) DO UPDATE SET active_at = greatest(l.active_at, excluded.active_at);
END $$;
