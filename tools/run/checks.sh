# SPDX-License-Identifier: MIT
# Looking at the code without running it: formatting, layers, smells, headers, shell, cppcheck, clang-tidy. Each check is
# one function lint_NAME that prints its findings and returns 0 (clean), 1 (findings) or 77 (cannot look here).

LINT_CHECKS="format layers smells singleuse headers shell cppcheck tidy"

lint_format() {
    tools/format.sh check
}

lint_layers() {
    "$(python_program)" tools/check_layers.py
}

lint_smells() {
    "$(python_program)" tools/check_smells.py
}

lint_singleuse() {
    "$(python_program)" tools/check_smells.py --only-singleuse
}

configure_tidy() {
    drop_foreign_cache tidy
    cmake --preset tidy >"$LOG_DIR/configure-tidy.log" 2>&1 || {
        cat "$LOG_DIR/configure-tidy.log"
        return 1
    }
}

lint_headers() {
    have clang || {
        echo "headers: no clang here"
        return 77
    }
    configure_tidy && cmake --build build/tidy --target headers -j "$JOBS"
}

lint_shell() {
    for script in run .ci/run tools/*.sh tools/run/*.sh tools/hooks/* tests/harness/*.sh docker/*.sh; do
        sh -n "$script" || return 1
    done
    have shellcheck || {
        echo "shell: no shellcheck here"
        return 77
    }
    # SC2034, SC2154: variables shared between the parts that ./run sources.
    shellcheck -s sh -e SC2034,SC2154 run .ci/run tools/*.sh tools/run/*.sh tools/hooks/* tests/harness/*.sh docker/*.sh
}

lint_cppcheck() {
    have cppcheck || {
        echo "cppcheck: not here"
        return 77
    }
    # Product code only: cppcheck does not see that an assertion of cmocka ends a function. One file at a time, since
    # version 2.10 itself dies (signal 11, in its value flow) in a few of them; that is said, and is no finding.
    # shellcheck disable=SC2016
    find core store k8s server handlers devcluster -name '*.c' | sort | xargs -n 1 -P "$JOBS" sh -c '
        status=0
        cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
            --library=tools/cppcheck.cfg --suppressions-list=tools/cppcheck.txt -I . -D_GNU_SOURCE "$1" || status=$?
        [ "$status" -lt 128 ] || { echo "cppcheck itself died in $1"; status=0; }
        exit "$status"' cppcheck
}

lint_tidy() {
    if ! have clang-tidy || ! have clang; then
        echo "tidy: no clang-tidy here"
        return 77
    fi
    configure_tidy && "$(python_program)" tools/tidy.py --build build/tidy --jobs "$JOBS"
}

# run_lint NAME: one check with its log and one line; sets lint_status.
run_lint() {
    make_run_dir
    lint_status=0
    lint_began=$(now_s)
    "lint_$1" >"$LOG_DIR/lint-$1.log" 2>&1 </dev/null || lint_status=$?
    case $lint_status in
    0) say "ok    lint $1 ($(($(now_s) - lint_began)) s)" ;;
    77) say "SKIP  lint $1: $(tail -n 1 "$LOG_DIR/lint-$1.log")" ;;
    *)
        say "FAIL  lint $1 ($(($(now_s) - lint_began)) s)"
        tail -n 60 "$LOG_DIR/lint-$1.log"
        say "      repeat:  ./run lint $1"
        ;;
    esac
}

verb_lint() {
    if [ "${1:-}" = fix ]; then
        tools/format.sh fix
        return
    fi
    need build lint
    # shellcheck disable=SC2086
    [ $# -gt 0 ] || set -- $LINT_CHECKS
    lint_failed=0
    for check in "$@"; do
        case " $LINT_CHECKS " in
        *" $check "*) ;;
        *) die "there is no check '$check'" "Checks: $LINT_CHECKS" ;;
        esac
        run_lint "$check"
        [ "$lint_status" -eq 0 ] || [ "$lint_status" -eq 77 ] || lint_failed=1
    done
    return "$lint_failed"
}

verb_scoreboard() {
    "$(python_program)" tools/scoreboard.py
}

verb_hooks() {
    hooks_dir=$(git rev-parse --git-path hooks) || die "this is not a git clone"
    mkdir -p "$hooks_dir"
    for hook in pre-commit commit-msg pre-push; do
        if [ -e "$hooks_dir/$hook" ] && ! grep -q 'tools/hooks/' "$hooks_dir/$hook"; then
            die "$hooks_dir/$hook is somebody else's" "Move it away, then repeat ./run hooks"
        fi
        # shellcheck disable=SC2016
        printf '#!/bin/sh\nexec "$(git rev-parse --show-toplevel)/tools/hooks/%s" "$@"\n' "$hook" >"$hooks_dir/$hook"
        chmod +x "$hooks_dir/$hook"
    done
    say "installed: pre-commit, commit-msg, pre-push (in $hooks_dir; remove them there)"
}

verb_fresh() {
    as_root tools/fresh.sh "$@"
}
