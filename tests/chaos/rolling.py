# SPDX-License-Identifier: MIT
"""A rolling restart under load: each replica in turn gets SIGTERM and is replaced, while streams are open and users go on.
Who finds a door shut goes to the other one; whoever was let in is answered."""
import signal
import threading

from ground import Client, Ground, PHASES, wait_for
from judge import judge
from witness import Caller

USERS_AT_ONCE = 3
DRAIN_WITHIN_S = 20


def use(ground, number, is_over):
    """Lives one project after the other and looks at things in between."""
    caller = Caller(ground, ground.caller.cookie, is_strict=True)
    n = 0
    while not is_over.is_set():
        n += 1
        project = []
        ground.live(f"roll{number}x{n}", PHASES, caller, on_phase=lambda phase, p: look(caller, p, project))


def look(caller, project, known):
    caller.ask("GET", "/api/projects")
    caller.ask("GET", f"/api/projects/{project}")
    if known:
        caller.ask("GET", f"/api/sandbox/{project}")
    known.append(project)


def is_unready(server):
    if server.popen.poll() is not None:
        return True
    try:
        return Client(server.port, "").request("GET", "/readyz")[0] == 503
    except OSError:
        return True


def replace(ground, port):
    server = ground.server_at(port)
    server.popen.send_signal(signal.SIGTERM)
    # Readiness is off while it drains: it says so, or it lets nobody in any more.
    wait_for("a replica that is not ready", lambda: is_unready(server), 5)
    status = server.popen.wait(DRAIN_WITHIN_S)
    server.stop()
    ground.servers.remove(server)
    if status != 0:
        ground.findings.add("lost", f"a replica that drained ended with {status}")
    ground.serve(port)
    ground.wait_all_alive()


def restart(seed, rounds, replicas=2):
    with Ground(seed, replicas=replicas, env={"FULLSTACKD_LISTEN_HANDLER_DEADLINE": "60s"}) as ground:
        ground.findings.expect("restarts", rounds)
        is_over = threading.Event()
        users = [threading.Thread(target=use, args=(ground, i, is_over), daemon=True) for i in range(USERS_AT_ONCE)]
        for user in users:
            user.start()
        for i in range(rounds):
            told = len(ground.witness.events)
            replace(ground, ground.ports[i % replicas])
            ground.findings.count_run()
            ground.findings.count_hit("restarts")
            # The next one goes when things have moved on.
            ground.witness.wait(lambda: len(ground.witness.events) > told + 20, 20)
        is_over.set()
        for user in users:
            user.join(240)
        judge(ground)
        return ground.findings
