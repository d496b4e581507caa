#!/bin/sh
# SPDX-License-Identifier: MIT
# The browser journey through the demo exactly as a person gets it: ./run demo in a folder of its own, the journey of
# tests/e2e at the printed address, ./run stop. exit: the journey's status.
set -eu
cd "$(dirname -- "$0")/../.."

FULLSTACKD_RUN_DIR=$(pwd -P)/build/test/e2e
export FULLSTACKD_RUN_DIR
./run stop >/dev/null 2>&1 || true
trap './run stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

./run demo -y --detach --zero-delay | tee build/test/e2e-demo.out
link=$(grep -Eo 'https?://[^ ]+' build/test/e2e-demo.out | tail -n 1)
[ -n "$link" ] || {
    echo "the demo printed no address"
    exit 1
}
status=0
node tests/e2e/journey.mjs "$link" || status=$?
if [ "$status" -ne 0 ]; then
    echo "--- the server's last lines ---"
    tail -n 40 "$FULLSTACKD_RUN_DIR/log/fullstackd.log"
fi
exit "$status"
