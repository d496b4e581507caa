# SPDX-License-Identifier: MIT
# Words every verb uses: saying things, failing with advice, running a step with a log, becoming root, processes.
# It starts nothing by itself. Sourced by ./run, which has set ROOT, YES, ZERO_DELAY, DETACH and PORT.

# Another folder keeps a second set of everything apart from the first (the browser tests use that).
RUN_DIR=${DEMO_DIR:-$ROOT/.run}
LOG_DIR=$RUN_DIR/log
BIN_DIR=$ROOT/build/bin

say() {
    printf '%s\n' "$*"
}

# On stderr, so that "N passed, N failed" stays the last line of a captured stdout.
warn() {
    printf '%s\n' "$*" >&2
}

# die WHAT [WHAT TO DO]...
die() {
    warn ""
    warn "error: $1"
    shift
    for advice in "$@"; do
        warn "  $advice"
    done
    exit 1
}

# takes_only WORDS ARGUMENTS: a word that a verb does not know is a mistake, not something to pass over.
takes_only() {
    known=$1
    shift
    for word in "$@"; do
        case " $known " in
        *" $word "*) ;;
        *) die "./run $VERB knows nothing of '$word'" "./run help says what there is" ;;
        esac
    done
}

have() {
    command -v "$1" >/dev/null 2>&1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

as_root() {
    if is_root; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "this needs root: $*" "Run it as root, or install sudo, then repeat ./run $VERB"
    fi
}

# confirm QUESTION: yes with -y; no answer possible (no terminal) counts as no.
confirm() {
    [ "$YES" -eq 0 ] || return 0
    [ -t 0 ] || return 1
    printf '%s [Y/n] ' "$1"
    read -r answer || return 1
    case $answer in
    '' | y | Y | yes | Yes | YES) return 0 ;;
    *) return 1 ;;
    esac
}

# The folder of everything that runs: root's PostgreSQL runs as another user, who must get through (711); secrets in
# it are files of mode 600.
make_run_dir() {
    mkdir -p "$LOG_DIR"
    chmod 711 "$RUN_DIR"
    chmod 700 "$LOG_DIR"
}

now_s() {
    date +%s
}

# step NAME TEXT COMMAND...: runs the command with its output in .run/log/NAME.log; a failure shows the log's end.
step() {
    step_name=$1
    step_text=$2
    shift 2
    make_run_dir
    step_began=$(now_s)
    printf '%s ... ' "$step_text"
    if "$@" >"$LOG_DIR/$step_name.log" 2>&1 </dev/null; then
        printf 'done (%s s)\n' "$(($(now_s) - step_began))"
        return 0
    fi
    printf 'FAILED\n'
    warn "--- the end of $LOG_DIR/$step_name.log ---"
    tail -n 30 "$LOG_DIR/$step_name.log" >&2
    warn "---"
    return 1
}

# --- processes -------------------------------------------------------------------------------------------------------
# A process is known by its pid and its start time (field 22 of /proc/PID/stat, counted after the command's closing
# bracket, since a command may contain blanks), so that a pid the system gave to somebody else is never signalled.

start_time_of() {
    sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# remember NAME PID
remember() {
    printf '%s %s\n' "$2" "$(start_time_of "$2")" >"$RUN_DIR/$1.pid"
}

# pid_of NAME: prints the pid if exactly that process still lives.
pid_of() {
    [ -r "$RUN_DIR/$1.pid" ] || return 1
    read -r known_pid known_start <"$RUN_DIR/$1.pid" || return 1
    [ -n "$known_pid" ] && [ -n "$known_start" ] && [ "$(start_time_of "$known_pid")" = "$known_start" ] || return 1
    # A zombie has ended; it only waits for its parent to ask.
    [ "$(sed 's/^.*) //' "/proc/$known_pid/stat" 2>/dev/null | cut -d ' ' -f 1)" != Z ] || return 1
    printf '%s\n' "$known_pid"
}

# spawn NAME COMMAND...: starts it in a session of its own (Ctrl-C must reach only ./run, which stops things in order) and
# without the lock. SPAWN_ENV may name a function that exports variables for it: a secret in the environment is for its
# owner's eyes, one on a command line is for everybody's.
spawn() {
    spawn_name=$1
    shift
    (
        ${SPAWN_ENV:-:}
        exec setsid "$@" >"$LOG_DIR/$spawn_name.log" 2>&1 </dev/null 9>&-
    ) &
    remember "$spawn_name" "$!"
}

# tied_words SIGNAL: the words before a command that gets that signal when this shell is gone, be it killed; none where it is
# to go on without it. Whoever becomes another user does that first: it would end the tie.
tied_words() {
    [ -z "${IS_TIED:-}" ] || printf 'setpriv --pdeathsig %s --' "$1"
}

# halt NAME SIGNAL SECONDS: asks, waits that long, then kills.
halt() {
    halt_pid=$(pid_of "$1") || {
        rm -f "$RUN_DIR/$1.pid"
        return 0
    }
    kill "-$2" "$halt_pid" 2>/dev/null || true
    halt_end=$(($(now_s) + $3))
    while pid_of "$1" >/dev/null && [ "$(now_s)" -le "$halt_end" ]; do
        sleep 0.1
    done
    if pid_of "$1" >/dev/null; then
        warn "$1 (pid $halt_pid) did not stop within $3 s: killing it"
        kill -KILL "$halt_pid" 2>/dev/null || true
    fi
    rm -f "$RUN_DIR/$1.pid"
}

# wait_until SECONDS NAME COMMAND...: until the command succeeds; gives up when the named process has ended.
wait_until() {
    wait_end=$(($(now_s) + $1))
    wait_name=$2
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        pid_of "$wait_name" >/dev/null || return 1
        [ "$(now_s)" -le "$wait_end" ] || return 1
        sleep 0.1
    done
}

# is_port_free PORT: nobody listens on it, over IPv4 or IPv6 (state 0A in the kernel's table).
is_port_free() {
    port_hex=$(printf '%04X' "$1")
    ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v p=":$port_hex" 'substr($2, length($2) - 4) == p && $4 == "0A" { found = 1 } END { exit !found }'
}

# free_port FIRST: the first free port from there on, of at most 200.
free_port() {
    port_try=$1
    port_end=$(($1 + 200))
    while [ "$port_try" -lt "$port_end" ]; do
        if is_port_free "$port_try"; then
            printf '%s\n' "$port_try"
            return 0
        fi
        port_try=$((port_try + 1))
    done
    return 1
}

# random_text BYTES: that many random bytes as hexadecimal digits.
random_text() {
    od -An -vtx1 -N "$1" /dev/urandom | tr -d ' \n'
}

# secret NAME BYTES: prints the secret of this checkout, made once, readable by its owner only.
secret() {
    secret_file=$RUN_DIR/secrets/$1
    if [ ! -s "$secret_file" ]; then
        (
            umask 077
            mkdir -p "$RUN_DIR/secrets"
            random_text "$2" >"$secret_file.new"
            mv "$secret_file.new" "$secret_file"
        )
    fi
    cat "$secret_file"
}
