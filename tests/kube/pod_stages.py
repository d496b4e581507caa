# SPDX-License-Identifier: MIT
"""A kubelet in Stages: a pod is created, pulls, runs, and fails the way it is told to.

A pod's fate is the first found of: its annotation or label kwok.test/NAME, a variable of a container, the beginning of its name.
  fail         KWOK_FAIL         ImagePullBackOff InvalidImageName CrashLoopBackOff OOMKilled CreateContainerConfigError
                                 NotReady Evicted NeverStarts                 (FATES holds the beginnings of names)
  fail-times   KWOK_FAIL_TIMES   crash so often, then stay up
  ready-delay  KWOK_READY_DELAY  a Go duration: how long the image is pulled
  retry-delay  KWOK_RETRY_DELAY  pull and crash back-off
A container waits for the Secrets of its environment; kubelet.py says when they are there, and what they hold of these variables.
An image whose name holds "nosuch" cannot be pulled, without any knob.
"""
import json
import textwrap

import stages
from stages import IS_BEING_DELETED, LIVES, by_name, event, knob, status

# How the name of a pod that has this fate begins.
FATES = {"podpull": "ImagePullBackOff", "podname": "InvalidImageName", "podcrash": "CrashLoopBackOff", "podoom": "OOMKilled",
         "podconfig": "CreateContainerConfigError", "podunready": "NotReady", "podevicted": "Evicted", "podnever": "NeverStarts"}
CRASHES = ("CrashLoopBackOff", "OOMKilled")
UNPULLED = ("ImagePullBackOff", "InvalidImageName", "Evicted", "NeverStarts")  # they never come as far as their environment
NO_SUCH_IMAGE = '(if ([.spec.containers[].image | test("nosuch")] | any) then "ImagePullBackOff" else null end)'
FAIL = f'({knob("fail", "KWOK_FAIL")} // {NO_SUCH_IMAGE} // {by_name(FATES)})'
TIMES = "(" + knob("fail-times", "KWOK_FAIL_TIMES") + ' // "1000000" | tonumber)'
READY_DELAY = knob("ready-delay", "KWOK_READY_DELAY")
RETRY_DELAY = knob("retry-delay", "KWOK_RETRY_DELAY")
WAITING = ".status.containerStatuses[0].state.waiting.reason"
# Still to crash: a crashing fate, and fewer restarts so far than asked for.
IS_CRASHING = f"({FAIL} as $f | ({json.dumps(CRASHES)} | index($f)) != null and " \
              f"(([.status.containerStatuses[]?.restartCount] | .[0] // 0) < {TIMES}))"
# "none" without Secrets, "wanted" until kubelet.py has seen all of them, then "ready".
CONFIG = '(.metadata.annotations["kwok.test/config"] // (if ([.spec.containers[].envFrom[]?.secretRef | select(. != null and ' \
         '.optional != true)] | length) > 0 then "wanted" else "none" end))'
HAS_PROBE = "(([.spec.containers[] | .startupProbe, .readinessProbe | select(. != null)] | length) > 0)"

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
{{ if hasPrefix "podoom-" .metadata.name }}{{ $fail = "OOMKilled" }}{{ end }}
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


def pod_stages(pull_ms=0, probe_ms=0, retry_ms=10000, crash_ms=300, evict_ms=2000, has_kubelet=True):
    """retry_ms: back-off of pulls and crashes; probe_ms: until a readiness or startup probe succeeds; has_kubelet: kubelet.py
    runs, and containers wait for what it says."""
    config = CONFIG if has_kubelet else '"none"'
    return [*beginnings(pull_ms, evict_ms), *pulls(pull_ms, retry_ms), *starts(pull_ms, config), *lives(probe_ms, retry_ms, crash_ms)]


stage = stages.make("v1", "Pod")
IS_CREATING = (WAITING, "In", "ContainerCreating")
IS_RUNNING = (".status.containerStatuses[0].state.running.startedAt", "Exists")
FIRST_IMAGE = "(index .spec.containers 0).image"
STARTED = [event("Normal", "Created", "Created container"), event("Normal", "Started", "Started container")]
PULLED = event("Normal", "Pulled", f'{{{{ printf "Successfully pulled image \\"%s\\"" {FIRST_IMAGE} | Quote }}}}')


def failing(*fates):
    return (FAIL, "In", *fates)


def spared(*fates):
    return (FAIL, "NotIn", *fates)


def beginnings(pull_ms, evict_ms):
    """From bound to a node to creating, and what ends there."""
    is_new = [LIVES, (".status.phase", "In", "Pending"), (".status.startTime", "DoesNotExist")]
    creating = status("phase: Pending\nstartTime: {{ $now | Quote }}\n" + ADDRESSES + conditions(False, False) +
                      containers(waiting("ContainerCreating")), "strategic")
    pulling = event("Normal", "Pulling", f'{{{{ printf "Pulling image \\"%s\\"" {FIRST_IMAGE} | Quote }}}}')
    no_pull = ("InvalidImageName", "Evicted", "NeverStarts")
    return [
        stage("pod-delete", [IS_BEING_DELETED], [{"delete": True}], 0),
        stage("pod-creating", [*is_new, spared(*no_pull)], [creating, pulling]),
        stage("pod-creating-no-pull", [*is_new, failing(*no_pull)], [creating]),
        stage("pod-evicted", [LIVES, IS_CREATING, failing("Evicted")],
              [status('phase: Failed\nreason: Evicted\nmessage: "The node was low on resource: memory."\n' + conditions(False), "strategic"),
               event("Warning", "Evicted", '"The node was low on resource: memory."')], max(pull_ms, evict_ms)),
    ]


def pulls(pull_ms, retry_ms):
    """Images that do not come. The phase stays Pending and the reason alternates, as with a kubelet."""
    error = containers(waiting("ErrImagePull", f'"{NOT_FOUND}"'))
    back_off = containers(waiting("ImagePullBackOff", f'"Back-off pulling image \\"{{{{ $c.image }}}}\\": ErrImagePull: {NOT_FOUND}"'))
    unnamed = 'Failed to apply default image tag \\"{{ $c.image }}\\": couldn\'t parse image name'
    return [
        stage("pod-pull", [LIVES, IS_CREATING, failing("ImagePullBackOff")],
              [event("Warning", "Failed", '"Failed to pull image: not found"'),
               status("phase: Pending\n" + conditions(False) + POD_ADDRESSES + error, "strategic"),
               event("Warning", "Failed", '"Error: ErrImagePull"')], pull_ms, READY_DELAY),
        stage("pod-pull-back-off", [LIVES, (WAITING, "In", "ErrImagePull"), failing("ImagePullBackOff")],
              [event("Normal", "BackOff", '"Back-off pulling image"'), status(back_off, "strategic"),
               event("Warning", "Failed", '"Error: ImagePullBackOff"')], 200),
        stage("pod-pull-again", [LIVES, (WAITING, "In", "ImagePullBackOff"), failing("ImagePullBackOff")],
              [status(error, "strategic")], retry_ms, RETRY_DELAY),
        stage("pod-invalid-image-name", [LIVES, IS_CREATING, failing("InvalidImageName")],
              [status(containers(waiting("InvalidImageName", f'"{unnamed}"')), "strategic"),
               event("Warning", "InspectFailed", '"Failed to apply default image tag: couldn\'t parse image name"')], pull_ms, READY_DELAY),
    ]


def starts(pull_ms, config):
    """The image is there: the environment is looked for, and with it the container starts."""
    is_pulled = [LIVES, IS_CREATING, spared(*UNPULLED)]
    is_waiting = [LIVES, (WAITING, "In", "CreateContainerConfigError")]
    has_config, lacks_config = (config, "In", "ready", "none"), (config, "In", "wanted")
    name = "{{ range $c.envFrom }}{{ with .secretRef }}{{ .name }}{{ end }}{{ end }}"
    no_secret = status(containers(waiting("CreateContainerConfigError", f'"secret \\"{name}\\" not found"')), "strategic")
    missing = status(containers(waiting("CreateContainerConfigError", '"secret \\"missing\\" not found"')), "strategic")
    is_told = (".status.containerStatuses[0].state.waiting.message", "NotIn", 'secret "missing" not found')
    told = event("Warning", "Failed", '"Error: a secret of the environment was not found"')
    made = [
        stage("pod-no-config", [*is_pulled, lacks_config], [no_secret, PULLED, told], pull_ms, READY_DELAY),
        stage("pod-bad-config", [*is_pulled, has_config, failing("CreateContainerConfigError")], [missing, PULLED, told], pull_ms, READY_DELAY),
        stage("pod-bad-config-later", [*is_waiting, has_config, failing("CreateContainerConfigError"), is_told], [missing, told]),
    ]
    for has_probe in (False, True):
        is_ready = not has_probe
        up = status("phase: Running\n" + POD_ADDRESSES + conditions(is_ready) + containers(RUNNING, is_ready, True), "strategic")
        end = "-with-probe" if has_probe else ""
        probe = (HAS_PROBE, "In", "true" if has_probe else "false")
        made += [
            stage("pod-running" + end, [*is_pulled, has_config, probe, spared(*UNPULLED, "CreateContainerConfigError")],
                  [up, PULLED, *STARTED], pull_ms, READY_DELAY),
            stage("pod-configured" + end, [*is_waiting, has_config, probe, spared("CreateContainerConfigError")], [up, *STARTED]),
        ]
    return made


def lives(probe_ms, retry_ms, crash_ms):
    """A running container becomes ready, or not, or falls and is started again."""
    crash_text = '"back-off 10s restarting failed container={{ $c.name }} pod={{ $root.metadata.name }}_' \
                 '{{ $root.metadata.namespace }}({{ $root.metadata.uid }})"'
    is_unready = (".status.containerStatuses[0].ready", "In", "false")
    restarted = status(conditions(False) + containers(RUNNING, False, True), "strategic")
    unhealthy = event("Warning", "Unhealthy", '"Readiness probe failed: dial tcp: connect: connection refused"')
    is_told = ('.metadata.annotations["kwok.test/unhealthy"]', "DoesNotExist")
    return [
        stage("pod-ready", [LIVES, IS_RUNNING, is_unready, spared("NotReady"), (IS_CRASHING, "NotIn", "true")],
              [status(conditions(True) + containers(RUNNING, True), "strategic")], probe_ms),
        stage("pod-unready", [LIVES, IS_RUNNING, is_unready, failing("NotReady"), is_told],
              [unhealthy, {"patch": {"type": "merge", "template": '{"metadata": {"annotations": {"kwok.test/unhealthy": "told"}}}'}}]),
        stage("pod-crash", [LIVES, IS_RUNNING, (IS_CRASHING, "In", "true")],
              [status(WHICH_CRASH + conditions(False) + containers(waiting("CrashLoopBackOff", crash_text) + LAST_CRASH,
                                                                   restarts="{{ add $n 1 }}"), "strategic"),
               event("Warning", "BackOff", '"Back-off restarting failed container"')], crash_ms),
        stage("pod-restart", [LIVES, (".status.phase", "In", "Running"), (WAITING, "In", "CrashLoopBackOff")],
              [restarted, STARTED[1]], retry_ms, RETRY_DELAY),
    ]
