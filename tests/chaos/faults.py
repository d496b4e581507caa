# SPDX-License-Identifier: MIT
"""THE table of faults. Each row: what is done (the table's first column), how, and how often in the short form and in the whole
one, each time with a seed of its own, in a process of its own and with services of its own."""
import balanced
import crowd
import cuts
import halts
import kills
import rolling


def kill(run, replicas, mode, short):
    """At every moment there is; short: at some."""
    return {"run": run, "args": {"replicas": replicas, "mode": mode}, "short": short and [{"numbers": short}], "whole": [{}]}


def halt(target):
    return {"run": halts.peers_halt, "args": {"target": target}, "short": [], "whole": [{"seconds": 15, "halts_n": 4}, {"seconds": 15, "halts_n": 4}]}


def cut(target, short):
    return {"run": cuts.connections, "args": {"target": target}, "short": short, "whole": [{} for _ in range(4)]}


FAULTS = {
    "kill as a row is written, 1 replica": kill(kills.at_rows, 1, "unheard", [1, 6]),
    "kill as a row is written, 2 replicas": kill(kills.at_rows, 2, "unheard", [4]),
    "kill when a row was told, 1 replica": kill(kills.at_rows, 1, "told", []),
    "kill when a row was told, 2 replicas": kill(kills.at_rows, 2, "told", [2]),
    "kill before a call to the API, 1 replica": kill(kills.at_calls, 1, "before", []),
    "kill before a call to the API, 2 replicas": kill(kills.at_calls, 2, "before", [5]),
    "kill after a call to the API, 1 replica": kill(kills.at_calls, 1, "after", [2, 9]),
    "kill after a call to the API, 2 replicas": kill(kills.at_calls, 2, "after", []),
    "PostgreSQL stands still": dict(halt("postgresql"), short=[{"seconds": 4, "halts_n": 2}]),
    "Redis stands still": halt("redis"),
    "the API server stands still": halt("api"),
    "connections to PostgreSQL are reset": cut("postgresql", [{}]),
    "connections to Redis are reset": cut("redis", []),
    "connections to the API are reset": cut("api", [{}]),
    "watches break and expire": {"run": cuts.watches, "args": {}, "short": [{}], "whole": [{} for _ in range(4)]},
    "rolling restart under load": {"run": rolling.restart, "args": {}, "short": [{"rounds": 2}],
                                   "whole": [{"rounds": 8}, {"rounds": 8}]},
    "rolling restart behind a balancer": {"run": balanced.restart, "args": {}, "short": [], "whole": [{"rounds": 6}, {"rounds": 6}]},
    "replicas sleep, PostgreSQL restarts": {"run": balanced.sleepers, "args": {}, "short": [],
                                            "whole": [{"sleeps": 2, "seconds": 20, "restarts": 3}]},
    "a crowd, the API fails at random": {"run": crowd.crowd, "args": {}, "short": [{"n": 60, "kills": 1}],
                                         "whole": [{"n": 500, "kills": 4}]},
}
