# SPDX-License-Identifier: MIT
# ./run test: every group runs even when an earlier one failed; each program's cases are counted into one tally, whose sum
# is the last line. Tests start what they need themselves (tests/harness) and stop it by pid.

TEST_DIR=$ROOT/build/test
TALLY=$TEST_DIR/tally
GROUPS_ALL="lint tools web unit sim wire chaos kube fuzz e2e"
GROUPS_MORE="thorough sim-bugs schemathesis" # by name only: every case where the others take some; bugs planted in the engine
SIM_SEEDS=20000

group_lint() {
    for check in $LINT_CHECKS; do
        run_lint "$check"
        case $lint_status in
        0) echo "1 0 0 lint-$check" >>"$TALLY" ;;
        77) echo "0 0 1 lint-$check" >>"$TALLY" ;;
        *) echo "0 1 0 lint-$check" >>"$TALLY" ;;
        esac
    done
}

# run_counted NAME REPEAT COMMAND...: runs it with a log and counts its cases.
run_counted() {
    counted_name=$1
    counted_repeat=$2
    shift 2
    counted_status=0
    counted_began=$(now_s)
    "$@" >"$TEST_DIR/$counted_name.log" 2>&1 </dev/null || counted_status=$?
    if ! "$(python_program)" tests/harness/collect.py output "$counted_name" "$counted_status" \
        "$TEST_DIR/$counted_name.log" "$TALLY"; then
        tail -n 60 "$TEST_DIR/$counted_name.log" | sed 's/^/      /'
        say "      repeat:  $counted_repeat"
    fi
    grep -h 'SKIP' "$TEST_DIR/$counted_name.log" | sort -u | head -n 5 | sed 's/^/      /' || true
    say "      ($(($(now_s) - counted_began)) s)"
}

group_tools() {
    run_counted tools "python3 -m unittest discover -s tests/tools" \
        "$(python_program)" -m unittest discover -s tests/tools
}

group_web() {
    if ! have node || ! have npm; then
        say "SKIP  web: no node here"
        echo "0 0 1 web" >>"$TALLY"
        return
    fi
    npm_install web dashboard || {
        echo "0 1 0 web-packages" >>"$TALLY"
        return
    }
    npm_install web/api_types api-types || {
        echo "0 1 0 api-types-packages" >>"$TALLY"
        return
    }
    run_counted web-api-types "npm --prefix web/api_types run check" npm --prefix web/api_types run --silent check
    run_counted web-types "cd web && npm run check" npm --prefix web run --silent check
    run_counted web-build "cd web && node build.mjs" npm_build_dashboard
    run_counted web-unit "cd web && npm test" npm --prefix web test --silent
}

# run_ctest NAME CTEST-ARGUMENTS...
run_ctest() {
    ctest_name=$1
    shift
    ctest_began=$(now_s)
    rm -f "$TEST_DIR/$ctest_name.xml"
    CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=1:detect_stack_use_after_return=1" \
        UBSAN_OPTIONS=print_stacktrace=1 \
        ctest --test-dir build/asan -j "$JOBS" --no-tests=ignore --output-junit "$TEST_DIR/$ctest_name.xml" \
        --test-output-size-passed 4000000 --test-output-size-failed 4000000 "$@" >"$TEST_DIR/$ctest_name.log" 2>&1 </dev/null || true
    if [ ! -s "$TEST_DIR/$ctest_name.xml" ] || grep -q 'No tests were found' "$TEST_DIR/$ctest_name.log"; then
        say "SKIP  $ctest_name: there are no such tests"
        echo "0 0 1 $ctest_name" >>"$TALLY"
        return
    fi
    "$(python_program)" tests/harness/collect.py junit "$TEST_DIR/$ctest_name.xml" "$TALLY" || true
    say "$ctest_name: $(grep -c '<testcase ' "$TEST_DIR/$ctest_name.xml") programs in $(($(now_s) - ctest_began)) s"
}

group_unit() {
    run_ctest unit -L '^unit$'
}

# Some seeds with sanitizers, then many without, on all processors. That the planted bugs still apply is seen in a second.
group_sim() {
    run_ctest sim -L '^sim$'
    if ! (cmake_build sim sim_engine); then
        echo "0 1 0 build-sim" >>"$TALLY"
        return
    fi
    run_counted sim-seeds "tests/sim/seeds.py build/sim/tests/sim/sim_engine 1 $SIM_SEEDS" \
        "$(python_program)" tests/sim/seeds.py build/sim/tests/sim/sim_engine 1 "$SIM_SEEDS"
    run_counted sim-bugs-apply "tests/sim/bugs.py --apply-only" "$(python_program)" tests/sim/bugs.py --apply-only
}

# One bug after the other is planted in a copy of the engine; the simulation has to find each.
group_sim_bugs() {
    run_counted sim-bugs "tests/sim/bugs.py" "$(python_program)" tests/sim/bugs.py
    sed -n '/^bug  /,$p' "$TEST_DIR/sim-bugs.log"
}

# They mostly wait for real peers, and none of them counts on time: two at once take half as long.
group_wire() {
    run_ctest wire -L '^(wire|slow)$' -j 2
}

# The real programs, killed, stopped and cut off at every moment: some moments by default, all of them by name.
group_chaos() {
    chaos_form=${is_default:+--short}
    # shellcheck disable=SC2086
    run_counted chaos "tests/chaos/run.py $chaos_form" "$(python_program)" tests/chaos/run.py $chaos_form build/asan
    sed -n '/^fault  /,$p' "$TEST_DIR/chaos.log"
}

# Every case where the other groups take some.
group_thorough() {
    run_ctest thorough -L '^thorough$' -j 1
}

# The API's description asked with many examples of each operation; the wire group takes some.
group_schemathesis() {
    run_ctest schemathesis -L '^schemathesis$' -j 1
}

# Programs of the wire group again, each with a real control plane of its own: they stop, restart and compact it. Then the
# stories of tests/wire/fidelity on the embedded cluster and on a real one of each KubeBlocks dialect, compared.
group_kube() {
    if ! kube_binary=$("$(python_program)" tests/kube/binary.py); then
        say "SKIP  kube: nothing was tried on a real control plane: $kube_binary"
        echo "0 0 1 kube" >>"$TALLY"
        return
    fi
    run_ctest kube -L '^kube$' -j 2 # they mostly wait
    export FS_BUILD="$ROOT/build/asan" PYTHONDONTWRITEBYTECODE=1
    run_counted fidelity "FS_BUILD=build/asan tests/wire/fidelity/run.py" "$(python_program)" tests/wire/fidelity/run.py
    sed -n '/^case  /,$p' "$TEST_DIR/fidelity.log"
}

group_fuzz() {
    run_ctest fuzz -L '^fuzz$'
}

group_e2e() {
    run_counted e2e-smoke "tests/harness/demo_journey.sh smoke" tests/harness/demo_journey.sh smoke
    if ! have chromium || ! have node || ! have npm; then
        say "SKIP  e2e: no chromium or no node here"
        echo "0 0 1 e2e" >>"$TALLY"
        return
    fi
    npm_install tests/e2e e2e || {
        echo "0 1 0 e2e-packages" >>"$TALLY"
        return
    }
    run_counted e2e-selftest "cd tests/e2e && npm test" npm --prefix tests/e2e test --silent
    export FS_BUILD="$ROOT/build/asan" PYTHONDONTWRITEBYTECODE=1
    run_counted e2e-accounts "FS_BUILD=build/asan tests/harness/with_services.py tests/wire/accounts/browser.py" \
        "$(python_program)" tests/harness/with_services.py --cache build/asan/services \
        "$(python_program)" tests/wire/accounts/browser.py
    run_counted e2e-journey "tests/harness/demo_journey.sh journey" tests/harness/demo_journey.sh journey
}

# sets_for GROUP...: the package sets these groups need.
sets_for() {
    for group in "$@"; do
        case $group in
        lint) echo build lint ;;
        tools) echo test lint kube ;;
        kube) echo build test kube ;;
        web) echo test web ;;
        e2e) echo build test web demo e2e ;;
        *) echo build test ;;
        esac
    done | tr ' ' '\n' | sort -u | tr '\n' ' '
}

verb_test() {
    # shellcheck disable=SC2046,SC2048,SC2086
    need $(sets_for ${*:-$GROUPS_ALL})
    # However this run ends, nothing that it started goes on: the keeper has this process's number and runs it once more.
    if [ -z "${RUN_IS_KEPT:-}" ]; then
        case $- in *x*) set -- -x "$@" ;; esac
        RUN_IS_KEPT=1 exec "$(python_program)" tests/harness/keeper.py "$ROOT/run" test "$@"
    fi
    unset RUN_IS_KEPT
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || {
        is_default=1
        set -- $GROUPS_ALL
    }
    suite_began=$(now_s)
    mkdir -p "$TEST_DIR"
    make_bin_dir
    : >"$TALLY"
    for group in "$@"; do
        case " $GROUPS_ALL $GROUPS_MORE " in
        *" $group "*) ;;
        *)
            group_one=$group
            group=one
            ;;
        esac
        say ""
        say "== ${group_one:-$group} =="
        case $group in
        unit | sim | wire | chaos | kube | fuzz | e2e | thorough | schemathesis | one) test_build ;;
        esac
        "group_$(echo "$group" | tr - _)"
        group_one=
    done
    say ""
    say "took $(($(now_s) - suite_began)) s; logs are in build/test and .run/log"
    "$(python_program)" tests/harness/collect.py total "$TALLY"
}

# test_build: once for all groups. A build that fails is one failed test and ends the run, since nothing after it says anything.
test_build() {
    [ -z "${is_test_built:-}" ] || return 0
    if ! (cmake_build asan); then
        echo "0 1 0 build" >>"$TALLY"
        "$(python_program)" tests/harness/collect.py total "$TALLY"
        exit 1
    fi
    is_test_built=1
}

# ./run test NAME: the ctest programs with NAME in theirs.
group_one() {
    run_ctest one -R "$group_one"
    tail -n 5 "$TEST_DIR/one.log"
}
