# SPDX-License-Identifier: MIT
# The verbs that are not part of every change: fuzz, bench and kube.

# ./run fuzz [SECONDS] [TARGET...]: each harness that long, starting from its corpus and what earlier runs found.
verb_fuzz() {
    need build fuzz
    fuzz_seconds=60
    case ${1:-} in
    '' | *[!0-9]*) ;;
    *)
        fuzz_seconds=$1
        shift
        ;;
    esac
    cmake_build fuzz
    # shellcheck disable=SC2046
    [ $# -gt 0 ] || set -- $(find tests/fuzz -name 'fuzz_*.c' -exec basename {} .c \; | sort)
    fuzz_bad=
    for target in "$@"; do
        fuzz_one "${target#fuzz_}" || fuzz_bad="$fuzz_bad $target"
    done
    [ -z "$fuzz_bad" ] || die "found something:$fuzz_bad" \
        "Shrink it:  build/fuzz/.../fuzz_NAME -minimize_crash=1 -runs=10000 tests/fuzz/regress/NAME/FILE" \
        "Keep the input under tests/fuzz/regress/NAME: ./run test fuzz replays it from then on."
}

fuzz_one() {
    program=$(find build/fuzz -name "fuzz_$1" -type f | head -n 1)
    [ -n "$program" ] || die "there is no harness fuzz_$1" "See tests/fuzz"
    mkdir -p "build/fuzz/corpus/$1" "tests/fuzz/regress/$1"
    make_run_dir
    printf 'fuzzing %s for %s s ... ' "$1" "$fuzz_seconds"
    if "$program" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="tests/fuzz/regress/$1/" "build/fuzz/corpus/$1" "tests/fuzz/corpus/$1" >"$LOG_DIR/fuzz-$1.log" 2>&1 </dev/null; then
        sed -n 's/^stat::number_of_executed_units: */runs: /p' "$LOG_DIR/fuzz-$1.log"
        rmdir "tests/fuzz/regress/$1" 2>/dev/null || true
        return 0
    fi
    printf 'FAILED\n'
    grep -E 'ERROR|SUMMARY|Test unit written|deadly signal' "$LOG_DIR/fuzz-$1.log" | head -n 5
    return 1
}

verb_bench() {
    [ -x tests/bench/run ] || die "there are no benchmarks in tests/bench yet"
    need build demo test
    make_bin_dir
    cmake_build release fullstackd devcluster bench_objects
    tests/bench/run "$@"
}

# ./run kube [stop|start] [PROGRAM]: its settings are variables of the environment, PORT among them.
verb_kube() {
    need kube
    PORT=${PORT:-$KUBE_PORT} "$(python_program)" tests/kube/kube.py "$@"
}
