-- SPDX-License-Identifier: MIT
-- The repository at GitHub that a project is connected with. Own SQLSTATEs: FS034 it has another one, FS035 the creation of
-- another one has no end yet, FS036 it was disconnected while it was created.

ALTER TABLE projects ADD COLUMN github_repo text,           -- "owner/name" as GitHub told it
    ADD COLUMN github_repo_id bigint,                       -- GitHub's number of it
    ADD COLUMN github_is_private boolean,
    ADD COLUMN github_checked_at timestamptz,               -- when GitHub told it
    ADD COLUMN github_pending text,                         -- one whose creation was begun
    ADD COLUMN github_pending_id text,                      -- of the beginning
    ADD COLUMN github_pending_at timestamptz;

-- Before a repository is made at GitHub, after it was seen that there is none of that name: from here on one of that name
-- may be ours. was_begun: another call that would make it may be under way still. No row: no such project of that owner.
CREATE FUNCTION fs_repo_begin(p_owner text, p_project text, p_repo text, p_id text, p_late_ms bigint)
    RETURNS TABLE (out_was_begun boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_p projects;
BEGIN
    SELECT * INTO v_p FROM projects WHERE id = p_project AND owner_id = p_owner FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF v_p.github_repo IS NOT NULL THEN
        RAISE EXCEPTION 'This project is connected with % already; disconnect it first', v_p.github_repo
            USING ERRCODE = 'FS034';
    END IF;
    IF lower(v_p.github_pending) <> lower(p_repo) THEN
        RAISE EXCEPTION 'The creation of % was begun and its end is not known; finish it, or disconnect', v_p.github_pending
            USING ERRCODE = 'FS035';
    END IF;
    UPDATE projects SET github_pending = p_repo, github_pending_id = p_id, github_pending_at = now() WHERE id = p_project;
    RETURN QUERY SELECT coalesce(v_p.github_pending_at > now() - p_late_ms * interval '1 millisecond', false);
END $$;

-- GitHub refused to make it: nothing was begun, unless somebody has begun it again since.
CREATE FUNCTION fs_repo_refused(p_owner text, p_project text, p_id text) RETURNS void LANGUAGE sql AS $$
    UPDATE projects SET github_pending = NULL, github_pending_id = NULL, github_pending_at = NULL
        WHERE id = p_project AND owner_id = p_owner AND github_pending_id = p_id;
$$;

-- Connects a project with a repository that GitHub has told of; p_pending: the one that was begun as that, NULL when it
-- was there before. No row: no such project of that owner.
CREATE FUNCTION fs_repo_link(p_owner text, p_project text, p_repo text, p_repo_id bigint, p_is_private boolean,
    p_pending text) RETURNS SETOF projects LANGUAGE plpgsql AS $$
DECLARE
    v_p projects;
BEGIN
    SELECT * INTO v_p FROM projects WHERE id = p_project AND owner_id = p_owner FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF lower(v_p.github_pending) <> lower(coalesce(p_pending, '')) THEN
        RAISE EXCEPTION 'The creation of % was begun and its end is not known; finish it, or disconnect', v_p.github_pending
            USING ERRCODE = 'FS035';
    END IF;
    IF p_pending IS NOT NULL AND v_p.github_pending IS NULL AND v_p.github_repo_id IS DISTINCT FROM p_repo_id THEN
        RAISE EXCEPTION '% was created, but the project was disconnected meanwhile; connect it', p_repo
            USING ERRCODE = 'FS036';
    END IF;
    RETURN QUERY UPDATE projects p SET github_repo = p_repo, github_repo_id = p_repo_id, github_is_private = p_is_private,
            github_checked_at = now(), github_pending = NULL, github_pending_id = NULL, github_pending_at = NULL,
            updated_at = now()
        WHERE p.id = p_project RETURNING p.*;
END $$;

-- Nothing is changed at GitHub. Also forgets what was begun.
CREATE FUNCTION fs_repo_unlink(p_owner text, p_project text) RETURNS SETOF projects LANGUAGE sql AS $$
    UPDATE projects p SET github_repo = NULL, github_repo_id = NULL, github_is_private = NULL, github_checked_at = NULL,
            github_pending = NULL, github_pending_id = NULL, github_pending_at = NULL,
            updated_at = CASE WHEN github_repo IS NULL AND github_pending IS NULL THEN updated_at ELSE now() END
        WHERE p.id = p_project AND p.owner_id = p_owner RETURNING p.*;
$$;
