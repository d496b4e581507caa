# SPDX-License-Identifier: MIT
# ./run demo and dev: everything on this machine, private to this checkout, until Ctrl-C or ./run stop. Also the verbs that
# look after it: stop, clean, doctor.

DEMO_PRESET=${DEMO_BUILD:-release}
# In the order they are stopped; they are started the other way round.
PROCESSES="fullstackd devcluster redis postgres"

server_program() {
    printf '%s\n' "$ROOT/build/$DEMO_PRESET/fullstackd"
}

# What fullstackd reads. Run in a subshell only: secrets stay out of this shell's own environment.
server_env() {
    # Not in the checkout, where it would read somebody's .env.local.
    cd "$RUN_DIR" || exit 1
    export NODE_ENV=development
    export NEXTAUTH_URL="http://localhost:$PORT"
    NEXTAUTH_SECRET=$(secret nextauth 32)
    export NEXTAUTH_SECRET
    FULLSTACKD_ENCRYPTION_KEYS=$(encryption_keys)
    export FULLSTACKD_ENCRYPTION_KEYS
    DATABASE_URL="postgresql://fullstackd:$(secret fullstackd-db 16)@/fullstackd?host=$(percent_path "$SOCKET_DIR")&port=$PG_PORT"
    export DATABASE_URL
    export FULLSTACKD_REDIS_URL="unix:$SOCKET_DIR/redis.sock"
    export FULLSTACKD_LISTEN_ADDRESS=127.0.0.1
    export FULLSTACKD_LISTEN_PORT="$PORT"
    export FULLSTACKD_LISTEN_DRAIN_DELAY=0s # nobody stands before it
    export FULLSTACKD_WEB_DIR="$ROOT/web/dist"
    export FULLSTACKD_KUBE_KUBECONFIG="$CLUSTER_DIR/kubeconfig"
    export FULLSTACKD_KUBE_ALLOW_LOOPBACK=true
    # The embedded cluster's gateway answers for every host name below localhost, which browsers resolve themselves.
    export FULLSTACKD_SANDBOX_DOMAIN=localhost
    export FULLSTACKD_SANDBOX_URL_SCHEME=http
    export FULLSTACKD_SANDBOX_URL_PORT="$GATEWAY_PORT"
    export FULLSTACKD_SANDBOX_TLS_SECRET=
}

cluster_env() {
    PGPASSWORD=$(secret postgres 16)
    export PGPASSWORD
}

# A key ring of one key: an id and 32 bytes in base64, made once.
encryption_keys() {
    keys_file=$RUN_DIR/secrets/encryption-keys
    if [ ! -s "$keys_file" ]; then
        (
            umask 077
            mkdir -p "$RUN_DIR/secrets"
            printf 'demo:%s' "$(head -c 32 /dev/urandom | base64 -w 0)" >"$keys_file.new"
            mv "$keys_file.new" "$keys_file"
        )
    fi
    cat "$keys_file"
}

# A path inside a URL's query: everything but the plainest characters as %XX.
percent_path() {
    printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ 2f/%2F/g; s/ \([0-9a-f][0-9a-f]\)/%\1/g'
}

fullstackd() {
    (
        server_env
        exec "$(server_program)" "$@"
    )
}

# --- starting ---------------------------------------------------------------------------------------------------------

take_lock() {
    make_run_dir
    exec 9>"$RUN_DIR/lock"
    flock -n 9 || die "another ./run is starting or running the demo of this checkout" "Stop it with Ctrl-C there, or ./run stop"
}

choose_ports() {
    if [ -n "$PORT" ]; then
        is_port_free "$PORT" || die "port $PORT is taken" "Name another one with --port, or none for the first free one"
        printf '%s\n' "$PORT" >"$RUN_DIR/port.server"
    else
        PORT=$(keep_port server 8080)
    fi
    GATEWAY_PORT=$(keep_port gateway 8180)
}

cluster_is_ready() {
    [ -s "$CLUSTER_DIR/kubeconfig" ] && grep -q '^{' "$LOG_DIR/devcluster.log"
}

start_cluster() {
    CLUSTER_DIR=$RUN_DIR/cluster
    mkdir -p "$CLUSTER_DIR"
    rm -f "$CLUSTER_DIR/kubeconfig"
    set -- --dir "$CLUSTER_DIR" --keep --kubeconfig "$CLUSTER_DIR/kubeconfig" --account fullstackd --gateway-port "$GATEWAY_PORT" \
        --pg "host=$SOCKET_DIR port=$PG_PORT user=postgres dbname=postgres" --pg-host 127.0.0.1 --pg-port "$PG_PORT"
    [ "$ZERO_DELAY" -eq 0 ] || set -- "$@" --zero-delay
    # shellcheck disable=SC2046
    SPAWN_ENV=cluster_env spawn devcluster $(tied_words TERM) "$ROOT/build/$DEMO_PRESET/devcluster" "$@"
    wait_until 30 devcluster cluster_is_ready || fail_with_log devcluster "the embedded cluster did not start"
}

server_is_ready() {
    curl -fsS --max-time 2 "http://127.0.0.1:$PORT/readyz"
}

start_server() {
    # shellcheck disable=SC2046
    SPAWN_ENV=server_env spawn fullstackd $(tied_words TERM) "$(server_program)" serve
    wait_until 60 fullstackd server_is_ready || {
        curl -sS --max-time 2 "http://127.0.0.1:$PORT/readyz?verbose" >&2 || true
        fail_with_log fullstackd "the server did not become ready"
    }
}

fail_with_log() {
    warn ""
    warn "--- the end of $LOG_DIR/$1.log ---"
    tail -n 30 "$LOG_DIR/$1.log" >&2
    die "$2" "See $LOG_DIR/$1.log"
}

# start_all: in order; each is waited for by asking it, never by time.
start_all() {
    took_from=$(now_s)
    start_postgres
    start_redis
    choose_ports
    CLUSTER_DIR=$RUN_DIR/cluster
    step migrate "Bringing the database up to date" fullstackd migrate || die "the migration failed" \
        "See $LOG_DIR/migrate.log; if a schema of another state of the sources is in the way, forget the demo's data:" \
        "./run clean data"
    say "Starting the embedded cluster and the server"
    start_cluster
    start_server
    printf '%s\n' "$PORT" >"$RUN_DIR/address"
}

stop_all() {
    trap '' INT TERM HUP # a second Ctrl-C would leave what is not stopped yet
    halt fullstackd TERM 35
    halt devcluster TERM 10
    halt redis TERM 10
    # INT is PostgreSQL's fast shutdown: it ends connections and writes everything.
    halt postgres INT 60
    rm -f "$RUN_DIR/address"
}

any_running() {
    for name in $PROCESSES; do
        ! pid_of "$name" >/dev/null || return 0
    done
    return 1
}

print_address() {
    link=$(fullstackd signin-link 2>"$LOG_DIR/signin-link.log") ||
        die "no sign-in link could be made" "See $LOG_DIR/signin-link.log"
    say ""
    say "Open this address (it signs you in, once; ./run demo again makes another):"
    say ""
    say "  $link"
    say ""
}

# already_running: the addresses of the demo that runs, for a second ./run demo.
already_running() {
    [ -s "$RUN_DIR/address" ] && pid_of fullstackd >/dev/null || return 1
    PORT=$(cat "$RUN_DIR/address")
    SOCKET_DIR=$(private_dir)/sock
    CLUSTER_DIR=$RUN_DIR/cluster
    GATEWAY_PORT=$(cat "$RUN_DIR/port.gateway")
    PG_PORT=$(cat "$RUN_DIR/port.postgres")
    say "The demo is running already. ./run stop ends it."
    print_address
}

prepare_demo() {
    # shellcheck disable=SC2046
    need build demo $(web_packages)
    make_bin_dir
    cmake_build "$DEMO_PRESET" fullstackd devcluster
    build_dashboard
}

begin_demo() {
    prepare_demo
    ! already_running || exit 0
    take_lock
    ! any_running || stop_all
    [ "$DETACH" -eq 1 ] || IS_TIED=1
    trap 'stop_all' EXIT
    trap 'say ""; say "Stopping ..."; exit 130' INT
    trap 'exit 143' TERM HUP
    start_all
    print_address
}

verb_demo() {
    takes_only "" "$@"
    begin_demo
    if [ "$DETACH" -eq 1 ]; then
        trap - EXIT INT TERM HUP
        say "It goes on in the background; ./run stop ends it. Logs: $LOG_DIR"
        return 0
    fi
    say "Ctrl-C stops everything. Logs: $LOG_DIR"
    while check_alive; do
        sleep 1
    done
    exit 1
}

check_alive() {
    for name in $PROCESSES; do
        pid_of "$name" >/dev/null && continue
        # Stopped from outside, in order: nothing to complain about.
        [ -e "$RUN_DIR/address" ] || exit 0
        warn "$name has ended; the end of its log:"
        tail -n 20 "$LOG_DIR/$name.log" >&2
        return 1
    done
}

# --- dev ------------------------------------------------------------------------------------------------------------------

changed_since_build() {
    find core store k8s server handlers devcluster CMakeLists.txt -newer "$RUN_DIR/dev-stamp" -type f -print 2>/dev/null | head -n 1
}

verb_dev() {
    takes_only "" "$@"
    DEMO_PRESET=asan
    begin_demo
    touch "$RUN_DIR/dev-stamp"
    say "Ctrl-C stops everything. A changed source is built and the server started again. Logs: $LOG_DIR"
    while :; do
        if [ -n "$(changed_since_build)" ]; then
            touch "$RUN_DIR/dev-stamp"
            if (cmake_build asan fullstackd devcluster); then
                halt fullstackd TERM 35
                start_server
                say "running again on http://localhost:$PORT"
            fi
        fi
        is_dashboard_current || (build_dashboard) || touch web/dist/index.html
        check_alive || exit 1
        sleep 1
    done
}

# --- looking after it -----------------------------------------------------------------------------------------------------

stop_running() {
    [ -d "$RUN_DIR" ] || return 0
    if any_running; then
        # The ./run that waits for them sees that the address is gone and ends quietly.
        rm -f "$RUN_DIR/address"
        stop_all
        say "stopped"
    else
        say "nothing was running"
    fi
}

verb_stop() {
    takes_only "" "$@"
    stop_running
}

verb_clean() {
    takes_only "data" "$@"
    stop_running
    if [ -s "$RUN_DIR/private-dir" ]; then
        private=$(cat "$RUN_DIR/private-dir")
        case $private in
        /var/tmp/fullstackd.*) rm -rf "$private" ;;
        esac
    fi
    rm -rf "$RUN_DIR"
    if [ "${1:-}" = data ]; then
        say "removed: $RUN_DIR"
        return
    fi
    rm -rf "$ROOT/build" "$ROOT/web/dist"
    say "removed: build, web/dist, $RUN_DIR"
}

verb_doctor() {
    takes_only "" "$@"
    for set in build web demo test e2e fuzz lint; do
        missing=$(missing_packages "$set")
        if [ -z "$missing" ]; then
            say "ok    what '$set' needs is here"
        else
            say "warn  '$set' lacks: $missing   (./run installs them when needed)"
        fi
    done
    for tool in cc clang cmake ninja node npm; do
        ! have "$tool" || say "      $tool: $("$tool" --version 2>&1 | head -n 1)"
    done
    ! dir=$(pg_bin_dir) || say "      postgres: $("$dir/postgres" --version)"
    for name in $PROCESSES; do
        if pid=$(pid_of "$name"); then say "ok    $name runs (pid $pid)"; else say "      $name does not run"; fi
    done
    if already_running >/dev/null 2>&1 && [ -x "$(server_program)" ]; then
        fullstackd doctor
    fi
}
