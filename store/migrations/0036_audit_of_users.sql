-- SPDX-License-Identifier: MIT
-- The audit of what was done to a user, as of what was done to a project.

-- As fs_audit_list, which the former version calls, and p_of_user: the user that was changed. By the index audit_subject,
-- for no id of a user is one of a project.
CREATE FUNCTION fs_audit_page(p_limit bigint, p_after_us bigint, p_after_id text, p_user text, p_project text,
    p_of_user text, p_action text, p_class bigint, p_status bigint, p_since_ms bigint, p_until_ms bigint)
    RETURNS TABLE (out_a audit, out_user_name text) LANGUAGE plpgsql STABLE
    SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    v_after timestamptz := timestamptz 'epoch' + p_after_us * interval '1 microsecond';
BEGIN
    RETURN QUERY SELECT a, u.name FROM audit a LEFT JOIN users u ON u.id = a.user_id
        WHERE (p_after_us IS NULL OR (a.at, a.id) < (v_after, p_after_id))
        AND (p_user IS NULL OR a.user_id = p_user)
        AND (p_project IS NULL OR (a.subject_id = p_project AND a.subject_id <> '' AND a.subject_kind = 'project'))
        AND (p_of_user IS NULL OR (a.subject_id = p_of_user AND a.subject_id <> '' AND a.subject_kind = 'user'))
        AND (p_action IS NULL OR a.action = p_action)
        AND (p_class IS NULL OR coalesce(a.status, 0) / 100 = p_class)
        AND (p_status IS NULL OR a.status = p_status)
        AND (p_since_ms IS NULL OR a.at >= fs_at(p_since_ms))
        AND (p_until_ms IS NULL OR a.at < fs_at(p_until_ms))
        ORDER BY a.at DESC, a.id DESC LIMIT p_limit + 1;
END $$;
