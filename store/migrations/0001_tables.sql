-- SPDX-License-Identifier: MIT
-- The tables. Ids are texts: UUIDv7 made by the server, or cuids of the original. Closed sets (status, stage, reason, …)
-- are the texts of core/stage.h. Columns named *_box hold what core/base/codec.h seals, bound to "table|column|row id".

CREATE FUNCTION fs_ms(t timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT floor(extract(epoch FROM t) * 1000)::bigint $$;
CREATE FUNCTION fs_at(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT timestamptz 'epoch' + ms * interval '1 millisecond' $$;

CREATE TABLE users (
    id text PRIMARY KEY,
    name text NOT NULL,
    email text UNIQUE,
    image text,
    is_admin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE identities (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    provider text NOT NULL, -- local, github
    provider_user_id text NOT NULL,
    access_token_box bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, provider_user_id)
);
CREATE INDEX identities_user ON identities (user_id);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY, -- SHA-256 of the cookie
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    idle_ms bigint NOT NULL,
    idle_until timestamptz NOT NULL,
    absolute_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_end ON sessions (idle_until);

CREATE TABLE signin_links (
    token_hash bytea PRIMARY KEY,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    valid_until timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX signin_links_end ON signin_links (valid_until);
CREATE INDEX signin_links_user ON signin_links (user_id);

CREATE TABLE api_tokens (
    id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL, -- the first characters, so that a person recognises it
    token_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL DEFAULT '{}',
    valid_until timestamptz,
    used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE projects (
    id text PRIMARY KEY,
    owner_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX projects_owner ON projects (owner_id, updated_at DESC, id);

CREATE TABLE environment (
    id text PRIMARY KEY,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    key text NOT NULL,
    value_box bytea NOT NULL,
    category text NOT NULL DEFAULT 'general',
    is_secret boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, key)
);

-- The KubeBlocks Cluster of a project. It is born with the sandbox row and outlives termination.
CREATE TABLE databases (
    project_id text PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    name text NOT NULL,
    namespace_name text NOT NULL,
    host text,
    port integer,
    username text,
    dbname text,
    password_box bytea, -- NULL: no credentials yet
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (namespace_name, name)
);

-- A server process. It lives while lease_until is in the future; one row is renewed, however many flows it leads.
CREATE TABLE replicas (
    id text PRIMARY KEY,
    address text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sandboxes (
    project_id text PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    id text NOT NULL UNIQUE,
    slug text NOT NULL,
    namespace_name text NOT NULL,
    name text NOT NULL,
    app_host text NOT NULL,
    tty_host text NOT NULL,
    app_label text NOT NULL,
    tty_label text NOT NULL,
    port_names text[] NOT NULL,
    image text NOT NULL,
    restart_time text NOT NULL,
    status text NOT NULL,
    desired text NOT NULL,
    attempt integer NOT NULL,
    attempt_started_at timestamptz NOT NULL,
    code text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    is_settled boolean NOT NULL,
    steps text NOT NULL DEFAULT '',
    lease_owner text, -- of replicas, which may be gone
    fence bigint NOT NULL DEFAULT 0,
    saves bigint NOT NULL DEFAULT 0, -- writes of flows so far
    env_box bytea, -- the request's variables
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (namespace_name, name)
) WITH (fillfactor = 70);
CREATE INDEX sandboxes_unsettled ON sandboxes (updated_at) WHERE NOT is_settled;
CREATE INDEX sandboxes_running ON sandboxes (project_id) WHERE status = 'RUNNING';

-- Every event of an owner, numbered without gaps; it outlives projects.
CREATE TABLE journal (
    owner_id text NOT NULL,
    seq bigint NOT NULL,
    project_id text NOT NULL,
    attempt integer NOT NULL,
    kind text NOT NULL, -- stage, status, done
    stage text,
    stage_status text,
    status text,
    outcome text,
    code text NOT NULL DEFAULT '',
    message text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    duration_ms bigint,
    PRIMARY KEY (owner_id, seq)
);
CREATE INDEX journal_project ON journal (project_id, seq);
CREATE INDEX journal_completed ON journal (stage, at DESC)
    WHERE kind = 'stage' AND stage_status = 'completed' AND duration_ms IS NOT NULL;

-- The last number given to an owner. Its row lock, held until commit, is what makes numbers visible in order.
CREATE TABLE journal_counters (
    owner_id text PRIMARY KEY,
    seq bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE audit (
    id text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    user_id text,
    action text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    address text,
    request_id text,
    detail jsonb
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_user ON audit (user_id, at);

CREATE TABLE idempotency (
    owner_id text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status integer, -- NULL: still being worked on
    body bytea,
    valid_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, key)
);
CREATE INDEX idempotency_end ON idempotency (valid_until);
