# SPDX-License-Identifier: MIT
"""A story as two clusters must tell it alike: for each stage what was said of it, in order, without names, numbers and
places; and how it ended. Stages run beside each other, so only the order within one counts."""
import json
import re

STRANGE = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"[a-z0-9-]*-agentruntime-[a-z0-9]+(-[a-z0-9]+)*"), "NAME"),
    (re.compile(r"\bns-[a-z0-9]+\b"), "NAMESPACE"),
    (re.compile(r"\bnode (?!was)[a-z0-9.-]+"), "node NODE"),
    # Whichever of several calls was under way, or was answered first.
    (re.compile(r"^(cluster \w+: )?\w+: https://[0-9.:]+"), "OBJECT: SERVER"),
    (re.compile(r'^\w+: kubernetes: 403 \S+ "'), 'OBJECT: kubernetes: 403 RESOURCE "'),
    # Each dialect's operator has its own (devcluster/control/kubeblocks.c); on a real control plane kwok speaks for both.
    (re.compile(r"^the database failed: .*"), "the database failed: WHY"),
    (re.compile(r"\d+m?\b"), "N"),
    (re.compile(r"\bN times?\b"), "N times"),
]

# Said only for as long as one request or one turn of a controller takes: a look at the world may come too late for it.
PASSING = re.compile(
    r"^(creating the .*|waiting for the pod(; the last one was refused: .*)?|waiting for a node|starting the container.*|pulling image .*"
    r"|waiting for KubeBlocks to take the database up|KubeBlocks is (creating|starting) the database"
    r"|reading the database's credentials|image pulled; waiting for the database"
    r"|reading the state of the cluster"
    r"|waiting for the Deployment to be available|waiting for the Service to .*|removing .*|waiting until .*"
    r"|waiting for the terminal to listen.*|the pod was evicted, another one follows.*|Service and Ingresses lead to the pod)$")


def plain(text):
    for pattern, word in STRANGE:
        text = pattern.sub(word, text or "")
    return text


def is_passing(row):
    status, code, message = row
    return status == "in_progress" and code is None and PASSING.match(message) is not None


def told(events, chance=None):
    """{stage and attempt: [[status, code, message]...]} of an event stream's frames; how it ended stands beside the stages.
    chance: a pattern of what this story tells only if time allows, "status code message"."""
    story = {}
    for _, name, data in events:
        if name == "done":
            stage, row = "the end", [data["outcome"], data.get("code"), plain(data.get("message"))]
        elif name == "stage":
            stage, row = data["stage"], [data["status"], data.get("code"), plain(data["message"])]
        else:
            continue
        rows = story.setdefault(f"{stage}, attempt {data['attempt']}", [])
        # What alternates (a pull and its back-off) is told as often as time allows.
        is_said = row in rows if row[0] == "in_progress" else rows[-1:] == [row]
        is_chance = chance is not None and re.search(chance, " ".join(str(word) for word in row))
        if not is_passing(row) and not is_said and not is_chance:
            rows.append(row)
    return story


def merged(story):
    """The same for two stages that race to the same refusal: which of them tells it is chance."""
    return {"all": sorted({json.dumps(row) for rows in story.values() for row in rows})}


def differences(one, other):
    """What one tells otherwise than the other, a line each; empty when they tell the same."""
    found = []
    for stage in sorted(set(one) | set(other)):
        mine, theirs = one.get(stage, []), other.get(stage, [])
        if mine != theirs:
            found += [f"{stage}:"] + [f"  - {row}" for row in mine if row not in theirs] + [f"  + {row}" for row in theirs if row not in mine]
            if sorted(map(str, mine)) == sorted(map(str, theirs)):
                found.append(f"  in another order: {mine} / {theirs}")
    return found
