# SPDX-License-Identifier: MIT
"""Who may call which route: what each caller is answered. test_matrix.py asks the server; tests/tools/test_routes.py
compares the rows with the table of routes."""

CALLERS = ("none", "expired", "other", "read", "write", "owner", "admin", "admin token")

# The shapes: what each caller is answered, in the order of CALLERS. S: what the route answers whom it serves.
S = "served"
ALL = (S,) * 8
MINE = (401, 401, S, S, S, S, S, S)  # a list or a thing of one's own, to read
MINE_WRITE = (401, 401, S, 403, S, S, S, S)
OWNED = (401, 401, 404, S, S, S, 404, 404)  # belongs to the owner
OWNED_WRITE = (401, 401, 404, 403, S, S, 404, 404)
PERSON = (401, 401, S, 403, 403, S, S, 403)  # by session only, one's own
PERSON_OWNED = (401, 401, 404, 403, 403, S, 404, 403)
ADMIN = (401, 401, 403, 403, 403, 403, S, S)
ANYBODY_WRITE = (S, S, S, 403, S, S, S, S)  # nobody is asked who they are, but a token keeps its scope

SIGNED_IN = ("other", "owner", "admin")
PROJECT = "/api/projects/{id}"
VARIABLE = {"key": "K", "value": "v"}

# "METHOD path": (shape, body, what is answered when it is served)
EXPECTED = {
    "GET /livez": (ALL, None, 200),
    "GET /readyz": (ALL, None, 200),
    "GET /healthz": (ALL, None, 200),
    "GET /version": (ALL, None, 200),
    "GET /metrics": (ALL, None, 200),
    "GET /openapi.json": (ALL, None, 200),
    "GET /problems/{slug}": (ALL, None, 200),
    "POST /api/auth/signin-link": (ALL, {"token": "no such link"}, 401),
    "GET /api/auth/providers": (ALL, None, 200),
    "GET /api/auth/csrf": (ALL, None, 200),
    "GET /api/auth/signin": (ALL, None, 302),
    "GET /api/auth/signin/{provider}": (ALL, None, 302),
    "POST /api/auth/signin/{provider}": (ALL, {}, 404),  # not configured here
    "GET /api/auth/callback/{provider}": (ALL, None, 404),
    "GET /api/auth/session": (ALL, None, 200),
    "POST /api/auth/signout": (ANYBODY_WRITE, {}, 200),
    "POST /api/auth/device/code": (ALL, {}, 200),
    "POST /api/auth/device/token": (ALL, {"device_code": "none such"}, 400),
    "GET /api/auth/device": (PERSON, None, 404),  # no code is asked for
    "POST /api/auth/device": (PERSON, {"userCode": "BBBB-BBBB", "allow": True}, 404),
    "GET /api/auth/sessions": (PERSON, None, 200),
    "DELETE /api/auth/sessions": (PERSON, None, 200),
    "DELETE /api/auth/sessions/{id}": (PERSON_OWNED, None, 200),
    "DELETE /api/admin/users/{id}/sessions": (ADMIN, None, 200),
    "GET /api/tokens": (PERSON, None, 200),
    "POST /api/tokens": (PERSON, {"name": "made here"}, 201),
    "DELETE /api/tokens/{id}": (PERSON_OWNED, None, 200),
    "GET /api/projects": (MINE, None, 200),
    "POST /api/projects": (MINE_WRITE, {"name": "made here"}, 200),
    f"GET {PROJECT}": (OWNED, None, 200),
    f"DELETE {PROJECT}": (OWNED_WRITE, None, (200, 202)),
    f"POST {PROJECT}/start": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/stop": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/restart": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/delete": (OWNED_WRITE, {}, (200, 202)),
    f"POST {PROJECT}/sandbox/start": (OWNED_WRITE, {}, 400),
    f"POST {PROJECT}/sandbox/stop": (OWNED_WRITE, {}, 400),
    f"GET {PROJECT}/sandbox/status": (OWNED, None, 404),  # there is none yet
    f"GET {PROJECT}/limits": (OWNED, None, 200),
    f"PUT {PROJECT}/limits": (OWNED_WRITE, {}, 200),
    f"POST {PROJECT}/activity": (OWNED_WRITE, {}, (200, 202, 204)),
    f"GET {PROJECT}/environment": (OWNED, None, 200),
    f"POST {PROJECT}/environment": (OWNED_WRITE, VARIABLE, 200),
    f"PUT {PROJECT}/environment/{{envId}}": (OWNED_WRITE, {"value": "w"}, 200),
    f"DELETE {PROJECT}/environment/{{envId}}": (OWNED_WRITE, None, 200),
    f"GET {PROJECT}/sync-database": (OWNED_WRITE, None, 404),  # a password; there is none yet
    f"POST {PROJECT}/sync-database": (OWNED_WRITE, {}, 404),
    f"GET {PROJECT}/github": (OWNED, None, 200),
    f"POST {PROJECT}/github": (OWNED_WRITE, {"repoName": "ada/engine"}, 409),  # GitHub is not configured here
    f"DELETE {PROJECT}/github": (OWNED_WRITE, None, 200),
    "GET /api/github/repositories": (MINE, None, 409),  # GitHub is not configured here
    "GET /api/clusters": (MINE, None, 200),
    "GET /api/admin/orphans": (ADMIN, None, 200),
    "GET /api/admin/audit": (ADMIN, None, 200),
    "GET /api/admin/projects": (ADMIN, None, 200),
    "GET /api/admin/users": (ADMIN, None, 200),
    "GET /api/admin/users/{id}": (ADMIN, None, 200),
    "PATCH /api/admin/users/{id}": (ADMIN, {"role": "user"}, 200),
    "GET /api/sandbox/{projectId}": (OWNED, None, 200),
    "POST /api/sandbox/{projectId}": (OWNED_WRITE, {}, 202),
    "DELETE /api/sandbox/{projectId}": (OWNED_WRITE, None, (200, 202)),
    "GET /api/sandbox/{projectId}/events": (OWNED, None, 200),
    "GET /api/events": (MINE, None, 200),
}
