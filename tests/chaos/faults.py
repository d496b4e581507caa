# SPDX-License-Identifier: MIT
"""THE table of faults. Each row: what is done (the table's first column), how, and how much of it in the short form and in
the whole one. A run of a row is one process with services of its own; {"numbers": ...} are parts of a row that can be
run side by side."""
import crowd
import cuts
import halts
import kills
import rolling

# Which moments of a phase: a short run takes some, a whole one all, in strides so that several run side by side.
STRIDES = 3


def strided(most):
    return [list(range(1 + i, most, STRIDES)) for i in range(STRIDES)]


def kill_rows(replicas, mode, short):
    return {"run": kills.at_rows, "args": {"replicas": replicas, "mode": mode}, "short": short,
            "whole": [{"numbers": n} for n in strided(kills.ROWS_MAX)]}


def kill_calls(replicas, mode, short):
    return {"run": kills.at_calls, "args": {"replicas": replicas, "mode": mode}, "short": short,
            "whole": [{"numbers": n} for n in strided(kills.CALLS_MAX)]}


def halt(target):
    return {"run": halts.peers_halt, "args": {"target": target}, "short": [], "whole": [{"seconds": 15, "halts_n": 4}, {"seconds": 15, "halts_n": 4}]}


def cut(target, short):
    return {"run": cuts.connections, "args": {"target": target}, "short": short, "whole": [{} for _ in range(4)]}


FAULTS = {
    "kill as a row is written, 1 replica": kill_rows(1, "unheard", [{"numbers": [1, 6]}]),
    "kill as a row is written, 2 replicas": kill_rows(2, "unheard", [{"numbers": [4]}]),
    "kill when a row was told, 1 replica": kill_rows(1, "told", []),
    "kill when a row was told, 2 replicas": kill_rows(2, "told", [{"numbers": [2]}]),
    "kill before a call to the API, 1 replica": kill_calls(1, "before", []),
    "kill before a call to the API, 2 replicas": kill_calls(2, "before", [{"numbers": [5]}]),
    "kill after a call to the API, 1 replica": kill_calls(1, "after", [{"numbers": [2, 9]}]),
    "kill after a call to the API, 2 replicas": kill_calls(2, "after", []),
    "PostgreSQL stands still": dict(halt("postgresql"), short=[{"seconds": 4, "halts_n": 2}]),
    "Redis stands still": halt("redis"),
    "the API server stands still": halt("api"),
    "connections to PostgreSQL are reset": cut("postgresql", [{}]),
    "connections to Redis are reset": cut("redis", []),
    "connections to the API are reset": cut("api", [{}]),
    "watches break and expire": {"run": cuts.watches, "args": {}, "short": [{}], "whole": [{} for _ in range(4)]},
    "rolling restart under load": {"run": rolling.restart, "args": {}, "short": [{"rounds": 2}],
                                   "whole": [{"rounds": 8}, {"rounds": 8}]},
    "a crowd, the API fails at random": {"run": crowd.crowd, "args": {}, "short": [{"n": 60, "kills": 1}],
                                         "whole": [{"n": 500, "kills": 4}]},
}
