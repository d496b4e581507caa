# SPDX-License-Identifier: MIT
"""What kwok does to an object and when, as Stage documents: selectors, a delay, steps. Built by pod_stages.py (a kubelet) and
database_stages.py (the KubeBlocks operator), written as JSON, which is YAML."""
import json

LIVES = (".metadata.deletionTimestamp", "DoesNotExist")
IS_BEING_DELETED = (".metadata.deletionTimestamp", "Exists")


def knob(name, variable=None):
    """A jq expression for what a test asks of an object: an annotation, a label or an environment variable of a container."""
    text = f'.metadata.annotations["kwok.test/{name}"] // .metadata.labels["kwok.test/{name}"]'
    if variable:
        text += f' // ([.spec.containers[].env[]? | select(.name == "{variable}") | .value] | .[0])'
    return f"({text})"


def by_name(values):
    """A jq expression for what the beginning of an object's name asks for: {beginning: value}."""
    tests = " elif ".join(f'startswith("{begin}-") then "{value}"' for begin, value in values.items())
    return f"(.metadata.name | if {tests} else null end)"


def status(template, kind="merge"):
    """A step that patches the object's status; the template gives YAML and knows $now."""
    return {"patch": {"subresource": "status", "root": "status", "type": kind, "template": "{{ $now := Now }}\n" + template}}


def event(kind, reason, message):
    return {"event": {"type": kind, "reason": reason, "message": message}}


def make(group, kind):
    """A function that builds Stages for one kind of object: (name, selectors, steps, delay in ms, delay by expression)."""
    def stage(name, selectors, steps, delay_ms=None, delay_from=None):
        expressions = []
        for key, operator, *values in selectors:
            expressions.append({"key": key, "operator": operator, **({"values": list(values)} if values else {})})
        delay = {}
        if delay_ms is not None:
            delay["durationMilliseconds"] = delay_ms
        if delay_from:
            delay["durationFrom"] = {"expressionFrom": delay_from}
        return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", "metadata": {"name": name},
                "spec": {"resourceRef": {"apiGroup": group, "kind": kind}, "selector": {"matchExpressions": expressions},
                         **({"delay": delay} if delay else {}), "steps": steps}}
    return stage


def node_stages():
    """A node says that it is ready; kwok renews its lease by itself."""
    is_not_ready = ('.status.conditions.[] | select( .type == "Ready" ) | .status', "NotIn", "True")
    conditions = """
conditions:
{{ range NodeConditions }}
- lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
  message: {{ .message | Quote }}
  reason: {{ .reason | Quote }}
  status: {{ .status | Quote }}
  type: {{ .type | Quote }}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
"""
    return [make("v1", "Node")("node-ready", [is_not_ready], [status(conditions, "strategic")])]


def text(documents):
    return "".join("---\n" + json.dumps(document) + "\n" for document in documents)
