#!/bin/sh
# SPDX-License-Identifier: MIT
# One creation through the API of a running demo, with curl alone: sign in by the one-time link, create a project, ask for
# its sandbox, follow the events to the end, leave it. Or, when the demo was started again: find it as it was, delete it.
# usage: smoke.sh SIGN-IN-LINK create|find      exit 0: the environment was ready, or is
set -eu

link=$1
server=${link%%/signin*}
cookies=$(mktemp)
trap 'rm -f "$cookies"' EXIT

call() {
    curl -fsS --max-time 150 -b "$cookies" -c "$cookies" -H 'Content-Type: application/json' -H "Origin: $server" "$@"
}

# field NAME: of the JSON object on stdin, the first text member of that name.
field() {
    grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

call "$server/" | grep -q '<script' || {
    echo "the dashboard is not served"
    exit 1
}
call -d "{\"token\":\"${link#*token=}\"}" "$server/api/auth/signin-link" >/dev/null
! call -d "{\"token\":\"${link#*token=}\"}" "$server/api/auth/signin-link" >/dev/null 2>&1 || {
    echo "the one-time link worked twice"
    exit 1
}
if [ "$2" = find ]; then
    project=$(call "$server/api/projects" | field id)
    state=$(call "$server/api/sandbox/$project" | field status)
    [ "$state" = running ] || {
        echo "after a restart the sandbox is '$state'"
        exit 1
    }
    call -X DELETE "$server/api/projects/$project" >/dev/null
    echo "found running, deleted"
    exit 0
fi
project=$(call -d '{"name":"smoke test"}' "$server/api/projects" | field id)
call -d '{}' "$server/api/sandbox/$project" >/dev/null
events=$(call -N "$server/api/sandbox/$project/events" | sed '/"outcome":/q') || true
outcome=$(printf '%s\n' "$events" | grep '"outcome":' | field outcome)
if [ "$outcome" != ready ]; then
    printf '%s\n' "$events"
    echo "the creation ended as '$outcome'"
    exit 1
fi
for stage in database container networking terminal ready; do
    printf '%s\n' "$events" | grep "\"stage\":\"$stage\"" | grep -q '"status":"completed"' || {
        echo "the stage $stage was never shown as completed"
        exit 1
    }
done
echo "signed in, created, five stages completed"
