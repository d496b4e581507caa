# SPDX-License-Identifier: MIT
# The private PostgreSQL and Redis of the demo. They listen on Unix sockets in a folder of this checkout (PostgreSQL also on
# a free port of 127.0.0.1, with passwords, so that psql on this machine reaches the databases of created projects). A
# PostgreSQL or Redis of the system is never looked at.

# PostgreSQL refuses to run as root; then it runs as the package's own user, or as nobody.
pg_user() {
    if is_root; then
        if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
    else
        id -un
    fi
}

# The words that go before a command to run it as that user: none when we are not root.
as_pg_user_words() {
    ! is_root || printf 'setpriv --reuid %s --regid %s --clear-groups --' "$(id -u "$(pg_user)")" "$(id -g "$(pg_user)")"
}

as_pg_user() {
    # shellcheck disable=SC2046
    $(as_pg_user_words) "$@"
}

# private_dir: where data and sockets live: .run, or, when PostgreSQL's user cannot get there or a socket's path would be
# too long for the kernel (107 bytes), a folder of its own whose name is kept in .run/private-dir.
private_dir() {
    if [ -s "$RUN_DIR/private-dir" ]; then
        kept=$(cat "$RUN_DIR/private-dir")
        if [ -d "$kept" ]; then
            printf '%s\n' "$kept"
            return
        fi
    fi
    if [ "${#RUN_DIR}" -le 75 ] && as_pg_user test -x "$RUN_DIR"; then
        kept=$RUN_DIR
    else
        kept=$(mktemp -d /var/tmp/fullstackd.XXXXXX)
        chmod 711 "$kept"
    fi
    printf '%s\n' "$kept" >"$RUN_DIR/private-dir"
    printf '%s\n' "$kept"
}

# owned_dir PATH: a folder that only PostgreSQL's user can enter.
owned_dir() {
    mkdir -p "$1"
    chmod 700 "$1"
    ! is_root || chown "$(pg_user)" "$1"
}

pg_init() {
    owned_dir "$1"
    pw_file=$(mktemp "$2/pw.XXXXXX")
    secret postgres 16 >"$pw_file"
    ! is_root || chown "$(pg_user)" "$pw_file"
    init_status=0
    as_pg_user "$(pg_bin_dir)/initdb" -D "$1" -U postgres --pwfile="$pw_file" -A scram-sha-256 -E UTF8 --locale=C.UTF-8 \
        --no-instructions || init_status=$?
    rm -f "$pw_file"
    return "$init_status"
}

# PGPASSWORD stays in the environment of this one command; nothing secret is on a command line.
demo_psql() {
    PGPASSWORD=$(secret postgres 16) "$(pg_bin_dir)/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCKET_DIR" -p "$PG_PORT" -U postgres "$@"
}

pg_is_ready() {
    "$(pg_bin_dir)/pg_isready" -q -h "$SOCKET_DIR" -p "$PG_PORT"
}

pg_make_database() {
    if [ "$(demo_psql -d postgres -At -c "SELECT count(*) FROM pg_database WHERE datname = 'fullstackd'")" = 1 ]; then
        return 0
    fi
    # The password is hexadecimal digits of our own making.
    demo_psql -d postgres -f - <<EOF
CREATE ROLE fullstackd LOGIN PASSWORD '$(secret fullstackd-db 16)';
CREATE DATABASE fullstackd OWNER fullstackd;
EOF
}

start_postgres() {
    DATA_HOME=$(private_dir)
    SOCKET_DIR=$DATA_HOME/sock
    mkdir -p "$SOCKET_DIR"
    chmod 711 "$SOCKET_DIR"
    ! is_root || chown "$(pg_user)" "$SOCKET_DIR"
    data=$DATA_HOME/postgres
    wanted=$("$(pg_bin_dir)/postgres" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    if [ -f "$data/PG_VERSION" ] && [ "$(cat "$data/PG_VERSION")" != "$wanted" ]; then
        die "the demo's data is of PostgreSQL $(cat "$data/PG_VERSION"), this machine has $wanted" \
            "Forget the demo's data:  ./run clean data"
    fi
    if [ ! -f "$data/PG_VERSION" ]; then
        rm -rf "$data"
        step initdb "Creating a private PostgreSQL" pg_init "$data" "$DATA_HOME" ||
            die "initdb failed" "See $LOG_DIR/initdb.log"
    fi
    PG_PORT=$(keep_port postgres 54329)
    # shellcheck disable=SC2046
    spawn postgres $(as_pg_user_words) $(tied_words INT) "$(pg_bin_dir)/postgres" -D "$data" -p "$PG_PORT" -k "$SOCKET_DIR" \
        -c listen_addresses=127.0.0.1 -c unix_socket_permissions=0777
    wait_until 60 postgres pg_is_ready || die "the private PostgreSQL did not start" "See $LOG_DIR/postgres.log"
    step make-database "Making the server's database" pg_make_database ||
        die "the database could not be made" "See $LOG_DIR/make-database.log"
}

redis_answers() {
    [ -S "$SOCKET_DIR/redis.sock" ] && [ "$(redis-cli -s "$SOCKET_DIR/redis.sock" ping 2>/dev/null)" = PONG ]
}

# Redis only holds what PostgreSQL can give again, so it writes nothing to disk.
start_redis() {
    rm -f "$SOCKET_DIR/redis.sock"
    # shellcheck disable=SC2046
    spawn redis $(tied_words TERM) "$BIN_DIR/redis-server" --port 0 --unixsocket "$SOCKET_DIR/redis.sock" --unixsocketperm 700 \
        --save '' --appendonly no --dir "$RUN_DIR" --daemonize no
    wait_until 30 redis redis_answers || die "the private Redis did not start" "See $LOG_DIR/redis.log"
}

# keep_port NAME FIRST: the port this checkout used for it before, if free, else the first free one from FIRST on.
keep_port() {
    port_file=$RUN_DIR/port.$1
    if [ -s "$port_file" ] && is_port_free "$(cat "$port_file")"; then
        cat "$port_file"
        return
    fi
    free_port "$2" >"$port_file.new" || die "no free port from $2 on"
    mv "$port_file.new" "$port_file"
    cat "$port_file"
}
