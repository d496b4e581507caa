# SPDX-License-Identifier: MIT
"""What has to be true afterwards, looked up in PostgreSQL, in the cluster's listing, in its history of everything that was
ever made, and in what the witnesses were sent."""
import json

from world import wait_for

SETTLE_WITHIN_S = 60
# What the server itself makes: one of each name, ever.
MADE_ONCE = {"serviceaccounts", "roles", "rolebindings", "clusters", "secrets", "deployments", "services", "ingresses",
             "networkpolicies", "statefulsets", "httproutes"}
OF_SANDBOX = {"deployments": 1, "services": 1, "ingresses": 2, "networkpolicies": 1}
OF_DATABASE = {"serviceaccounts": 1, "roles": 1, "rolebindings": 1, "clusters": 1}


class Row:
    COLUMNS = ("s.project_id", "s.name", "d.name", "s.status", "s.desired", "s.attempt", "s.is_settled", "s.code")

    def __init__(self, fields):
        self.project, self.sandbox, self.database, self.status, self.desired = fields[:5]
        self.attempt, self.is_settled, self.code = int(fields[5]), fields[6] == "t", fields[7]

    def __str__(self):
        return f"{self.sandbox} ({self.status}, {self.desired}, attempt {self.attempt})"


def rows_of(ground):
    return [Row(r) for r in ground.sql(f"SELECT {', '.join(Row.COLUMNS)} FROM sandboxes s JOIN databases d USING (project_id)")]


def judge(ground):
    """Everything, into the ground's findings."""
    findings = ground.findings
    try:
        wait_for("all rows settled", lambda: all(row.is_settled for row in rows_of(ground)), SETTLE_WITHIN_S)
    except AssertionError:
        for row in rows_of(ground):
            if not row.is_settled:
                findings.add("stuck", f"{row} is not settled")
    for name, n in ground.sql("SELECT name, count(*) FROM projects GROUP BY name HAVING count(*) > 1"):
        findings.add("doubled", f"there are {n} projects {name}")
    journal = journal_of(ground)
    for owner, events in journal.items():
        judge_numbers(findings, owner, [e[0] for e in events])
    for project, events in by_project(journal).items():
        judge_story(findings, project, events)
    judge_witnesses(ground, journal)
    judge_cluster(ground)
    judge_history(ground, by_project(journal))


# ---- the journal ----

def journal_of(ground):
    """{owner: [(seq, project, attempt, kind, stage, status of the stage, outcome, code, message)]}"""
    found = {}
    query = ("SELECT owner_id, seq, project_id, attempt, "
             "CASE WHEN position IS NULL THEN kind ELSE 'queued' END, coalesce(stage, ''), coalesce(stage_status, ''), "
             "coalesce(outcome, ''), code, replace(replace(message, '|', ' '), chr(10), ' ') FROM journal ORDER BY owner_id, seq")
    for owner, seq, *rest in ground.sql(query):
        found.setdefault(owner, []).append((int(seq), *rest))
    return found


def by_project(journal):
    found = {}
    for events in journal.values():
        for event in events:
            found.setdefault(event[1], []).append(event)
    return found


def judge_numbers(findings, owner, numbers):
    if numbers != list(range(1, len(numbers) + 1)):
        findings.add("lost", f"the journal of {owner} has gaps: {numbers}")


def judge_story(findings, project, events):
    """Wish, words, end; and again. A stage that is completed says nothing more, unless in the end the attempt failed."""
    is_open = False
    stages, again = {}, []
    for seq, _, attempt, kind, stage, stage_status, outcome, code, message in events:
        if kind == "status" and message.endswith(" requested"):
            is_open, stages, again = True, {}, []
        elif not is_open:
            findings.add("doubled", f"{project}: after its end it was told at {seq}: {kind} {stage} {outcome} {message}")
        elif kind == "stage":
            if stages.get(stage) == "completed" and stage_status != "skipped":
                again.append(f"{project}: stage {stage} was completed and told again at {seq}: {message}")
            stages[stage] = stage_status
        elif kind == "done":
            is_open = False
            for text in again if outcome == "ready" else ():
                findings.add("doubled", text)
            if outcome == "failed" and not code:
                findings.add("lost", f"{project}: failed without a code at {seq}")
            if outcome == "ready" and set(stages.values()) != {"completed"}:
                findings.add("lost", f"{project}: ready at {seq}, its stages are {stages}")
    if is_open:
        findings.add("stuck", f"{project}: the last wish has no end")


def judge_witnesses(ground, journal):
    for witness in ground.witnesses:
        seen = {data["projectId"] for _, name, data in witness.events if name != "reset"}
        owner = next((o for o, events in journal.items() if seen & {e[1] for e in events}), None)
        if owner is None:
            continue
        last = journal[owner][-1][0]
        if not witness.has(last, SETTLE_WITHIN_S):
            ground.findings.add("lost", f"{witness.name} was told up to {witness.last_id}, the journal ends at {last}")
        judge_witness(ground.findings, witness, {e[0]: e for e in journal[owner]})


def judge_witness(findings, witness, rows):
    expected = witness.first
    for number, name, data in list(witness.events):
        expected += 1
        if number != expected:
            column = "doubled" if number < expected else "lost"
            findings.add(column, f"{witness.name} was sent {number} ({name}) where {expected} comes next")
            expected = number
        row = rows.get(number)
        told = (name, data.get("projectId"), data.get("stage") or "", data.get("outcome") or "")
        if row is None or told != (row[3], row[1], row[4], row[6]):
            findings.add("lost", f"{witness.name} was sent {told} as {number}, the journal says {row}")


# ---- the cluster ----

def count_of(made, prefix):
    counts = {}
    for kind, name in made:
        if name == prefix or name.startswith(prefix + "-"):
            counts[kind] = counts.get(kind, 0) + 1
    return counts


def wrongs(ground):
    """[(column, text)] of the cluster as it is at this moment."""
    made = ground.made()
    rows = rows_of(ground)
    found = []
    known = [row.sandbox for row in rows if row.status != "TERMINATED"] + [row.database for row in rows]
    for kind, name in made:
        if not any(name == prefix or name.startswith(prefix + "-") for prefix in known):
            found.append(("orphaned", f"{kind}/{name} belongs to no row"))
    for row in rows:
        sandbox, database = count_of(made, row.sandbox), count_of(made, row.database)
        for want, got in ((OF_SANDBOX, sandbox), (OF_DATABASE, database)):
            is_wanted = row.status in ("RUNNING", "STOPPED") or want is OF_DATABASE and row.status == "TERMINATED"
            for kind, n in want.items():
                if got.get(kind, 0) > n:
                    found.append(("doubled", f"{row} has {got[kind]} {kind}"))
                elif is_wanted and got.get(kind, 0) < n:
                    found.append(("lost", f"{row} has {got.get(kind, 0)} {kind}"))
        pods = sandbox.get("pods", 0)
        if row.status == "RUNNING" and pods == 0:
            found.append(("lost", f"{row} has no pod"))
        if row.status == "RUNNING" and pods > 1:
            found.append(("doubled", f"{row} has {pods} pods"))
        if row.status == "STOPPED" and pods > 0:
            found.append(("orphaned", f"{row} has {pods} pods"))
    return found


def judge_cluster(ground):
    """The cluster's own controllers may still be tidying up: what is wrong has to stay wrong."""
    try:
        wait_for("a cluster like the rows", lambda: not wrongs(ground), 10)
    except AssertionError:
        for column, text in wrongs(ground):
            ground.findings.add(column, text)


def judge_history(ground, stories):
    """Nothing was ever made twice, and no Deployment had more lives than its project had attempts."""
    lives, made, attempts = {}, {}, {}
    with open(ground.history_path) as f:
        for line in f:
            event = json.loads(line)
            key = (event["resource"], event["name"])
            if event["type"] == "added" and event["namespace"] == ground.namespace:
                made.setdefault(key, []).append(event["uid"])
    for project, events in stories.items():
        attempts[project] = len({e[2] for e in events})
    for (kind, name), uids in made.items():
        if kind in MADE_ONCE and len(uids) > 1:
            ground.findings.add("doubled", f"{kind}/{name} was made {len(uids)} times")
        if kind == "replicasets":
            lives.setdefault(name.rpartition("-")[0], []).append(name)
    of_name = {row.sandbox: row.project for row in rows_of(ground)}
    most = max(attempts.values(), default=0)
    for name, sets in lives.items():
        allowed = attempts.get(of_name.get(name), most)
        if len(sets) > allowed:
            ground.findings.add("doubled", f"deployments/{name} had {len(sets)} ReplicaSets in {allowed} attempts")
