# SPDX-License-Identifier: MIT
"""A kubelet in Stages: a pod is created, pulls, runs, and fails the way it is told to.

A pod's fate is the first found of: its annotation or label kwok.test/NAME, an environment variable of a container.
  fail         KWOK_FAIL         ImagePullBackOff InvalidImageName CrashLoopBackOff OOMKilled CreateContainerConfigError
                                 NotReady Evicted NeverStarts
  fail-times   KWOK_FAIL_TIMES   crash so often, then stay up
  ready-delay  KWOK_READY_DELAY  a Go duration: ContainerCreating to Running
  retry-delay  KWOK_RETRY_DELAY  pull and crash back-off
An image whose name holds "nosuch" cannot be pulled, without any knob.
"""
import json
import textwrap

import stages
from stages import IS_BEING_DELETED, LIVES, event, knob, status

FAIL = "(" + knob("fail", "KWOK_FAIL") + \
       ' // (if ([.spec.containers[].image | test("nosuch")] | any) then "ImagePullBackOff" else null end))'
TIMES = "(" + knob("fail-times", "KWOK_FAIL_TIMES") + ' // "1000000" | tonumber)'
READY_DELAY = knob("ready-delay", "KWOK_READY_DELAY")
RETRY_DELAY = knob("retry-delay", "KWOK_RETRY_DELAY")
WAITING = ".status.containerStatuses[0].state.waiting.reason"
CRASHES = ("CrashLoopBackOff", "OOMKilled")
STAYS_DOWN = ("ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "NotReady", "Evicted", "NeverStarts")
FATES = CRASHES + STAYS_DOWN
# Still to crash: a crashing fate, and fewer restarts so far than asked for.
IS_CRASHING = f"({FAIL} as $f | ({json.dumps(CRASHES)} | index($f)) != null and " \
              f"(([.status.containerStatuses[]?.restartCount] | .[0] // 0) < {TIMES}))"

CONDITION = """
- type: {type}
  status: "{status}"
  reason: {reason}
  message: {message}
  lastTransitionTime: {{{{ $now | Quote }}}}
"""
UNREADY = ("'containers with unready status: [{{ range $i, $c := .spec.containers }}{{ if $i }} {{ end }}{{ $c.name }}{{ end }}]'")
ADDRESSES = """
{{ with NodeIPWith .spec.nodeName }}
hostIP: {{ . | Quote }}
hostIPs:
- ip: {{ . | Quote }}
{{ end }}
"""
POD_ADDRESSES = """
{{ with PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ . | Quote }}
podIPs:
- ip: {{ . | Quote }}
{{ end }}
"""
RUNNING = """
state:
  waiting: null
  terminated: null
  running:
    startedAt: {{ $now | Quote }}
"""
LAST_CRASH = """
lastState:
  terminated:
    exitCode: {{ if eq $fail "OOMKilled" }}137{{ else }}1{{ end }}
    reason: {{ if eq $fail "OOMKilled" }}OOMKilled{{ else }}Error{{ end }}
    startedAt: {{ $now | Quote }}
    finishedAt: {{ $now | Quote }}
"""
# Which crash it is; the same order as in FAIL.
WHICH_CRASH = """
{{ $fail := "CrashLoopBackOff" }}
{{ range .spec.containers }}{{ range .env }}{{ if eq .name "KWOK_FAIL" }}{{ $fail = .value }}{{ end }}{{ end }}{{ end }}
{{ with .metadata.labels }}{{ with index . "kwok.test/fail" }}{{ $fail = . }}{{ end }}{{ end }}
{{ with .metadata.annotations }}{{ with index . "kwok.test/fail" }}{{ $fail = . }}{{ end }}{{ end }}
"""
CONTAINER = """
containerStatuses:
{{{{ $root := . }}}}
{{{{ range $i, $c := .spec.containers }}}}
{{{{ $n := 0 }}}}
{{{{ if $root.status.containerStatuses }}}}{{{{ $n = (index $root.status.containerStatuses $i).restartCount }}}}{{{{ end }}}}
- name: {{{{ $c.name | Quote }}}}
  image: {{{{ $c.image | Quote }}}}
  ready: {is_ready}
  started: {is_ready_or_started}
  restartCount: {restarts}
{ids}{state}
{{{{ end }}}}
"""
IDS = """  imageID: {{ printf "docker.io/%s@sha256:%s" $c.image (sha256sum $c.image) | Quote }}
  containerID: {{ printf "containerd://%s" (sha256sum (printf "%s/%s/%v" $root.metadata.uid $c.name $n)) | Quote }}
"""
NOT_FOUND = 'failed to pull and unpack image \\"{{ $c.image }}\\": failed to resolve reference \\"{{ $c.image }}\\": {{ $c.image }}: not found'


def conditions(is_ready, has_sandbox=True):
    rows = [("PodReadyToStartContainers", has_sandbox), ("Initialized", True), ("Ready", is_ready), ("ContainersReady", is_ready)]
    return "conditions:" + "".join(
        CONDITION.format(type=kind, status=holds, reason="null" if holds or "Ready" not in kind else "ContainersNotReady",
                         message="null" if holds or "Ready" not in kind else UNREADY) for kind, holds in rows)


def containers(state, is_ready=False, is_started=None, restarts="{{ $n }}"):
    """The status of every container; one that has started has an image and an id."""
    has_started = is_ready if is_started is None else is_started
    return CONTAINER.format(is_ready=str(is_ready).lower(), is_ready_or_started=str(has_started).lower(), restarts=restarts,
                            ids=IDS if has_started or "lastState" in state else '  imageID: ""\n', state=textwrap.indent(state, "  "))


def waiting(reason, message=None):
    return f"""
state:
  running: null
  terminated: null
  waiting:
    reason: {reason}
    message: {message or 'null'}
"""


def started(*more):
    return [event("Normal", "Started", "Started container"), *more]


def pod_stages(ready_ms=0, retry_ms=10000, crash_ms=300, evict_ms=2000):
    stage = stages.make("v1", "Pod")
    is_creating = (WAITING, "In", "ContainerCreating")

    def failing(*fates):
        return (FAIL, "In", *fates)

    def waits_for_ever(name, fate, message, *events):
        return stage(name, [LIVES, is_creating, failing(fate)],
                     [status(containers(waiting(fate, message)), "strategic"), *events], ready_ms, READY_DELAY)

    pull = containers(waiting("ErrImagePull", f'"{NOT_FOUND}"'))
    back_off = containers(waiting("ImagePullBackOff", f'"Back-off pulling image \\"{{{{ $c.image }}}}\\": ErrImagePull: {NOT_FOUND}"'))
    crash_text = '"back-off 10s restarting failed container={{ $c.name }} pod={{ $root.metadata.name }}_' \
                 '{{ $root.metadata.namespace }}({{ $root.metadata.uid }})"'
    up = conditions(True) + containers(RUNNING, True)
    return [
        stage("pod-delete", [IS_BEING_DELETED], [{"delete": True}], 0),
        stage("pod-creating", [LIVES, (".status.phase", "In", "Pending"), (".status.startTime", "DoesNotExist")],
              [status("phase: Pending\nstartTime: {{ $now | Quote }}\n" + ADDRESSES + conditions(False, False) +
                      containers(waiting("ContainerCreating")), "strategic")]),
        # The happy path, and the first start of one that will crash: without a readiness probe it is ready at once.
        stage("pod-running", [LIVES, is_creating, (FAIL, "NotIn", *STAYS_DOWN)],
              [status("phase: Running\n" + POD_ADDRESSES + up, "strategic"), *started()], ready_ms, READY_DELAY),
        stage("pod-running-not-ready", [LIVES, is_creating, failing("NotReady")],
              [status("phase: Running\n" + POD_ADDRESSES + conditions(False) + containers(RUNNING, False, True), "strategic"),
               *started(event("Warning", "Unhealthy", '"Readiness probe failed: dial tcp: connect: connection refused"'))],
              ready_ms, READY_DELAY),
        # The phase stays Pending and the reason alternates, as with a kubelet.
        stage("pod-pull", [LIVES, is_creating, failing("ImagePullBackOff")],
              [event("Warning", "Failed", '"Failed to pull image: not found"'),
               status("phase: Pending\n" + conditions(False) + POD_ADDRESSES + pull, "strategic"),
               event("Warning", "Failed", '"Error: ErrImagePull"')], ready_ms, READY_DELAY),
        stage("pod-pull-back-off", [LIVES, (WAITING, "In", "ErrImagePull"), failing("ImagePullBackOff")],
              [event("Normal", "BackOff", '"Back-off pulling image"'), status(back_off, "strategic"),
               event("Warning", "Failed", '"Error: ImagePullBackOff"')], 200),
        stage("pod-pull-again", [LIVES, (WAITING, "In", "ImagePullBackOff"), failing("ImagePullBackOff")],
              [status(pull, "strategic")], retry_ms, RETRY_DELAY),
        waits_for_ever("pod-invalid-image-name", "InvalidImageName",
                       '"Failed to apply default image tag \\"{{ $c.image }}\\": couldn\'t parse image name"',
                       event("Warning", "InspectFailed", '"Failed to apply default image tag: couldn\'t parse image name"')),
        waits_for_ever("pod-config-error", "CreateContainerConfigError", '"secret \\"missing\\" not found"',
                       event("Warning", "Failed", '"Error: secret \\"missing\\" not found"')),
        # Ready, then down, then up again ...
        stage("pod-crash", [LIVES, (".status.phase", "In", "Running"),
                            (".status.containerStatuses[0].state.running.startedAt", "Exists"), (IS_CRASHING, "In", "true")],
              [status(WHICH_CRASH + conditions(False) + containers(waiting("CrashLoopBackOff", crash_text) + LAST_CRASH,
                                                                   restarts="{{ add $n 1 }}"), "strategic"),
               event("Warning", "BackOff", '"Back-off restarting failed container"')], crash_ms),
        stage("pod-restart", [LIVES, (".status.phase", "In", "Running"), (WAITING, "In", "CrashLoopBackOff")],
              [status(up, "strategic"), *started()], retry_ms, RETRY_DELAY),
        stage("pod-evicted", [LIVES, is_creating, failing("Evicted")],
              [status('phase: Failed\nreason: Evicted\nmessage: "The node was low on resource: memory."\n' + conditions(False), "strategic"),
               event("Warning", "Evicted", '"The node was low on resource: memory."')], max(ready_ms, evict_ms), READY_DELAY),
    ]
