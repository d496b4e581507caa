-- SPDX-License-Identifier: MIT
-- A project's variables. Own SQLSTATE: FS005 what was sent cannot be stored.

-- Writes variables in one transaction. p_how: 'one' adds or replaces those of the same key; 'categories' also removes
-- every other variable of the categories that are named; 'existing' changes values only. A box that is NULL keeps the
-- stored value. Sizes are of the boxes, a little above those of the values. Without a row the project is unknown; with one
-- whose variable is NULL, nothing was written.
CREATE FUNCTION fs_environment_put(p_owner text, p_project text, p_how text, p_ids text[], p_keys text[],
    p_boxes bytea[], p_categories text[], p_secrets text[], p_n_max bigint, p_bytes_max bigint)
    RETURNS TABLE (out_n bigint, out_e environment) LANGUAGE plpgsql AS $$
DECLARE
    v_missing text;
    v_n bigint;
    v_bytes bigint;
BEGIN
    PERFORM FROM projects WHERE id = p_project AND owner_id = p_owner FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF p_how = 'categories' THEN
        DELETE FROM environment WHERE project_id = p_project AND category = ANY (p_categories) AND key <> ALL (p_keys);
    END IF;
    IF p_how = 'existing' THEN
        UPDATE environment e SET value_box = v.box, updated_at = now()
            FROM unnest(p_keys, p_boxes) AS v (key, box) WHERE e.project_id = p_project AND e.key = v.key;
    ELSE
        SELECT v.key INTO v_missing FROM unnest(p_keys, p_boxes) AS v (key, box)
            WHERE v.box IS NULL AND NOT EXISTS (SELECT FROM environment e WHERE e.project_id = p_project AND e.key = v.key);
        IF FOUND THEN
            RAISE EXCEPTION 'variable % needs a value, there is none to keep', v_missing USING ERRCODE = 'FS005';
        END IF;
        UPDATE environment e SET category = v.category, is_secret = v.is_secret::boolean, updated_at = now()
            FROM unnest(p_keys, p_boxes, p_categories, p_secrets) AS v (key, box, category, is_secret)
            WHERE e.project_id = p_project AND e.key = v.key AND v.box IS NULL;
        INSERT INTO environment AS e (id, project_id, key, value_box, category, is_secret)
            SELECT v.id, p_project, v.key, v.box, v.category, v.is_secret::boolean
            FROM unnest(p_ids, p_keys, p_boxes, p_categories, p_secrets) AS v (id, key, box, category, is_secret)
            WHERE v.box IS NOT NULL
            ON CONFLICT (project_id, key) DO UPDATE SET value_box = excluded.value_box, category = excluded.category,
                is_secret = excluded.is_secret, updated_at = now();
    END IF;
    SELECT count(*), coalesce(sum(octet_length(value_box)), 0) INTO v_n, v_bytes FROM environment
        WHERE project_id = p_project;
    IF v_n > p_n_max THEN
        RAISE EXCEPTION 'a project has at most % variables, this would make %', p_n_max, v_n USING ERRCODE = 'FS005';
    END IF;
    IF v_bytes > p_bytes_max THEN
        RAISE EXCEPTION 'the variables of a project have at most % bytes in all, this would make %', p_bytes_max, v_bytes
            USING ERRCODE = 'FS005';
    END IF;
    UPDATE projects SET updated_at = greatest(updated_at, now()) WHERE id = p_project;
    RETURN QUERY SELECT count(e.id) OVER (), e FROM (SELECT) one
        LEFT JOIN environment e ON e.project_id = p_project AND e.key = ANY (p_keys) ORDER BY e.key;
END $$;
