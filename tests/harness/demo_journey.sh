#!/bin/sh
# SPDX-License-Identifier: MIT
# The demo exactly as a person gets it, in a folder of its own: `./run demo`, a creation through the API that a restart of the
# demo outlives, the browser journey of tests/e2e, `./run stop`. usage: demo_journey.sh smoke|journey      exit: that part's status
set -eu
cd "$(dirname -- "$0")/../.."

DEMO_DIR=$(pwd -P)/build/test/$1
export DEMO_DIR
mkdir -p build/test
./run clean data >/dev/null
trap './run stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sign_in_link() {
    ./run demo -y | grep -Eo 'https?://[^ ]+' | tail -n 1
}

status=0
case $1 in
smoke)
    ./run demo -y --detach --zero-delay
    tests/harness/smoke.sh "$(sign_in_link)" create || status=1
    ./run stop
    ./run demo -y --detach --zero-delay
    tests/harness/smoke.sh "$(sign_in_link)" find || status=1
    [ "$status" -ne 0 ] || echo "2 passed, 0 failed"
    ;;
journey)
    # With the time a cluster takes, so that a creation can be cancelled while it runs.
    ./run demo -y --detach
    FS_SIGNIN_URL="$(sign_in_link) $(sign_in_link)"
    # The embedded cluster takes faults from a container's environment: it crashes four times, then it stays up.
    # shellcheck disable=SC2089
    FS_FAIL_ENV='{"KWOK_FAIL":"CrashLoopBackOff","KWOK_FAIL_TIMES":"4","KWOK_RETRY_DELAY":"1s"}'
    # shellcheck disable=SC2090
    export FS_SIGNIN_URL FS_FAIL_ENV
    npm --prefix tests/e2e run --silent journey || status=$?
    ;;
esac
if [ "$status" -ne 0 ]; then
    echo "--- the server's last lines ---"
    tail -n 40 "$DEMO_DIR/log/fullstackd.log"
fi
exit "$status"
