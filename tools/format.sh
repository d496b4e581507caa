#!/bin/sh
# SPDX-License-Identifier: MIT
# The one place that knows the formatter's version: 14, because other versions lay out tables and macros differently.
# usage: tools/format.sh check|fix [FILE...]     exit 0 well, 1 not formatted, 77 no clang-format 14 here
set -eu
cd "$(dirname -- "$0")/.."

formatter=
for candidate in clang-format-14 clang-format; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" --version | grep -q ' version 14\.'; then
        formatter=$candidate
        break
    fi
done
if [ -z "$formatter" ]; then
    echo "format: no clang-format 14 on this machine" >&2
    exit 77
fi

mode=${1:-check}
[ $# -eq 0 ] || shift
if [ $# -eq 0 ]; then
    # Tracked files and new ones, but nothing that git ignores; a deleted file is still listed until the commit.
    git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u | while read -r file; do
        [ ! -f "$file" ] || printf '%s\n' "$file"
    done >"${TMPDIR:-/tmp}/format.$$"
else
    printf '%s\n' "$@" >"${TMPDIR:-/tmp}/format.$$"
fi
trap 'rm -f "${TMPDIR:-/tmp}/format.$$"' EXIT

case $mode in
fix) xargs -r "$formatter" -i <"${TMPDIR:-/tmp}/format.$$" ;;
check) xargs -r "$formatter" --dry-run --Werror <"${TMPDIR:-/tmp}/format.$$" ;;
*)
    echo "usage: tools/format.sh check|fix [FILE...]" >&2
    exit 2
    ;;
esac
