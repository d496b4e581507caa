# SPDX-License-Identifier: MIT
"""The KubeBlocks operator in Stages, for PostgreSQL Clusters of either dialect (v1alpha1 of 0.9, v1 of 1.0).

What it copies: a finalizer; phases absent, Creating, Running, Updating, Stopping, Stopped, Deleting; with v1alpha1 the Secret
NAME-conn-credential (username password endpoint host port, no database), with v1 NAME-COMPONENT-account-postgres (username
password); either is written at the start, before any pod. A Cluster's fate is its annotation or label kwok.test/NAME, or its name:
  kb-fail   Failed Abnormal Never NoSecret PreCheckFailed   (a name beginning kbfail- kbabnormal- kbnever- kbnosecret- kbprecheck-)
  kb-delay  a Go duration: Creating to Running              (a name beginning kbslow-: 30s)
PreCheckFailed is a missing ClusterDefinition: the phase stays empty and only a condition tells.
"""
import stages
from stages import IS_BEING_DELETED, LIVES, by_name, event, knob, status

# How the name of a Cluster that has this fate begins.
FATES = {"kbfail": "Failed", "kbabnormal": "Abnormal", "kbnever": "Never", "kbnosecret": "NoSecret", "kbprecheck": "PreCheckFailed"}
FAIL = f'({knob("kb-fail")} // {by_name(FATES)})'
DELAY = f'({knob("kb-delay")} // {by_name({"kbslow": "30s"})})'
# 0.9 stops a component by no replicas, 1.0 by saying so.
REPLICAS = "([.spec.componentSpecs[]? | if .stop == true then 0 else .replicas end] | add | tostring)"
PHASE = ".status.phase"
COMPONENT = "{{ with (index .spec.componentSpecs 0).name }}{{ . }}{{ else }}postgresql{{ end }}"
CONDITION = """
- type: {type}
  status: "{status}"
  reason: {reason}
  message: {message}
  lastTransitionTime: {{{{ now | date "2006-01-02T15:04:05Z07:00" | Quote }}}}
  observedGeneration: {{{{ .metadata.generation }}}}
"""


def condition(kind, holds, reason, message):
    return CONDITION.format(type=kind, status=holds, reason=reason, message=message)


STARTED = condition("ProvisioningStarted", True, "PreCheckSucceed",
                    '{{ printf "The operator has started the provisioning of Cluster: %s" .metadata.name | Quote }}') + \
    condition("ApplyResources", True, "ApplyResourcesSucceed", "Successfully applied for resources")
READY = condition("ReplicasReady", True, "AllReplicasReady",
                  '"all pods of components are ready, waiting for the probe detection successful"') + \
    condition("Ready", True, "ClusterReady", '{{ printf "Cluster: %s is ready, current phase is Running" .metadata.name | Quote }}')
NOT_READY = condition("Ready", False, "ComponentsNotReady",
                      '"pods are unavailable in Components: [postgresql], refer to related component message in Cluster.status.components"')
NO_DEFINITION = condition("ProvisioningStarted", False, "PreCheckFailed",
                          '"ClusterDefinition.apps.kubeblocks.io \\"postgresql\\" not found"')


def in_phase(phase, conditions=None):
    """The status of a Cluster and all its components in that phase."""
    template = f"""
observedGeneration: {{{{ .metadata.generation }}}}
phase: {phase}
components:
{{{{ range .spec.componentSpecs }}}}
  {{{{ or .name "postgresql" }}}}:
    phase: {"Failed" if phase == "Abnormal" else phase}
{{{{ end }}}}
"""
    return status(template + ("conditions:" + conditions if conditions else ""))


def credentials(version):
    """A step that applies the Secret which this dialect writes."""
    if version == "v1alpha1":
        name, labels = "conn-credential", {"apps.kubeblocks.io/cluster-type": "postgresql"}
        host = "{{ .metadata.name }}-" + COMPONENT
        data = {"username": "postgres", "password": "{{ randAlphaNum 8 | lower | Quote }}", "host": host, "port": '"5432"',
                "endpoint": f"{host}:5432"}
    else:
        name = f"{COMPONENT}-account-postgres"
        labels = {"apps.kubeblocks.io/component-name": COMPONENT, "apps.kubeblocks.io/system-account": "postgres"}
        data = {"username": "postgres", "password": "{{ randAlphaNum 10 | Quote }}"}
    template = f"""apiVersion: v1
kind: Secret
metadata:
  name: {{{{ .metadata.name }}}}-{name}
  namespace: {{{{ .metadata.namespace }}}}
  labels:
    app.kubernetes.io/instance: {{{{ .metadata.name }}}}
    app.kubernetes.io/managed-by: kubeblocks
""" + "".join(f"    {key}: {value}\n" for key, value in labels.items()) + f"""  ownerReferences:
  - apiVersion: apps.kubeblocks.io/{version}
    kind: Cluster
    name: {{{{ .metadata.name }}}}
    uid: {{{{ .metadata.uid }}}}
    controller: true
    blockOwnerDeletion: true
type: Opaque
stringData:
""" + "".join(f"  {key}: {value}\n" for key, value in data.items())
    return {"apply": {"type": "merge", "template": template}}


def database_stages(version, accept_ms=50, ready_ms=500, delete_ms=100):
    stage = stages.make(f"apps.kubeblocks.io/{version}", "Cluster")
    finalizer = {"finalizers": {"add": [{"value": "cluster.kubeblocks.io/finalizer"}]}}
    is_new = [LIVES, (PHASE, "DoesNotExist")]
    accepted = [in_phase("Creating", STARTED),
                event("Normal", "PreCheckSucceed", '"The operator has started the provisioning of Cluster"')]
    running = in_phase("Running", STARTED + READY)

    def fails(phase):
        return stage(f"kb-{phase.lower()}", [LIVES, (PHASE, "In", "Creating"), (FAIL, "In", phase)],
                     [in_phase(phase, STARTED + NOT_READY),
                      event("Warning", "ComponentsNotReady", '"pods are unavailable in Components: [postgresql]"')], ready_ms, DELAY)

    return [
        stage("kb-creating", is_new + [(FAIL, "NotIn", "NoSecret", "PreCheckFailed")],
              [finalizer, credentials(version), *accepted], accept_ms),
        stage("kb-creating-no-secret", is_new + [(FAIL, "In", "NoSecret")], [finalizer, *accepted], accept_ms),
        stage("kb-precheck-failed", is_new + [(".status.conditions", "DoesNotExist"), (FAIL, "In", "PreCheckFailed")],
              [finalizer, status("conditions:" + NO_DEFINITION),
               event("Warning", "PreCheckFailed", '"ClusterDefinition.apps.kubeblocks.io not found"')], accept_ms),
        stage("kb-running", [LIVES, (PHASE, "In", "Creating"), (FAIL, "NotIn", "Failed", "Abnormal", "Never")],
              [running, event("Normal", "ClusterReady", '"Cluster is ready, current phase is Running"')], ready_ms, DELAY),
        fails("Failed"),
        fails("Abnormal"),
        stage("kb-stopping", [LIVES, (PHASE, "In", "Running"), (REPLICAS, "In", "0")], [in_phase("Stopping")], 20),
        stage("kb-stopped", [LIVES, (PHASE, "In", "Stopping")], [in_phase("Stopped")], ready_ms),
        stage("kb-starting", [LIVES, (PHASE, "In", "Stopped"), (REPLICAS, "NotIn", "0")], [in_phase("Updating")], 20),
        stage("kb-started", [LIVES, (PHASE, "In", "Updating"), (REPLICAS, "NotIn", "0")], [running], ready_ms),
        stage("kb-deleting", [IS_BEING_DELETED, (PHASE, "NotIn", "Deleting")], [status("phase: Deleting")], 20),
        stage("kb-gone", [IS_BEING_DELETED, (PHASE, "In", "Deleting")], [{"finalizers": {"empty": True}}], delete_ms),
    ]
