# SPDX-License-Identifier: MIT
# What must be on the machine, and how it gets there. One table; nothing is asked of a registry when nothing is missing,
# so the second run works offline. Installing never leaves a database or a Redis running on the machine.

# set  probe                 package (the same name on Debian 12 and 13)
# The probe asks for the thing itself, not for the package, so a toolchain from elsewhere counts too.
package_table() {
    cat <<'EOF'
build  cmd:cc                gcc
build  file:/usr/include/stdio.h libc6-dev
build  cmd:cmake             cmake
build  cmd:ninja             ninja-build
build  cmd:pkg-config        pkg-config
build  pc:libevent_core      libevent-dev
build  pc:libcurl            libcurl4-openssl-dev
build  pc:yajl               libyajl-dev
build  pc:libpq              libpq-dev
build  pc:hiredis            libhiredis-dev
build  pc:libsodium          libsodium-dev
build  pc:yaml-0.1           libyaml-dev
build  pc:openssl            libssl-dev
build  file:/usr/include/uthash.h uthash-dev
web    cmd:node              nodejs
web    cmd:npm               npm
web    file:/etc/ssl/certs/ca-certificates.crt ca-certificates
demo   pg:                   postgresql
demo   redis:                redis-tools
demo   cmd:curl              curl
test   pg:                   postgresql
test   redis:                redis-tools
test   cmd:curl              curl
test   cmd:python3           python3
test   cmd:git               git
test   pc:cmocka             libcmocka-dev
test   py:h11                python3-h11
test   py:httptools          python3-httptools
test   py:ensurepip          python3-venv
test   file:/etc/ssl/certs/ca-certificates.crt ca-certificates
kube   cmd:python3           python3
kube   cmd:openssl           openssl
kube   cmd:zstd              zstd
e2e    cmd:chromium          chromium
fuzz   cmd:clang             clang
fuzz   clangrt:              libclang-rt-dev
lint   cmd:python3           python3
lint   pc:cmocka             libcmocka-dev
lint   cmd:clang-format|clang-format-14 clang-format
lint   cmd:clang             clang
lint   cmd:clang-tidy        clang-tidy
lint   cmd:cppcheck          cppcheck
lint   cmd:shellcheck        shellcheck
EOF
}

# The newest PostgreSQL server's folder of programs.
pg_bin_dir() {
    for dir in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
        [ -x "$dir/initdb" ] && printf '%s %s\n' "$(basename "$(dirname "$dir")" | tr -cd '0-9')" "$dir"
    done | sort -n | tail -n 1 | cut -d ' ' -f 2 | grep . && return 0
    have initdb && have postgres && dirname "$(command -v initdb)"
}

# Debian's redis-tools holds the server's program under the name redis-check-rdb: the package redis-server would add only
# a name for it and a service of the system that starts by itself. The name is what the program goes by.
redis_program() {
    command -v redis-server || command -v redis-check-rdb
}

# The system's own Python knows the packages of the distribution; another one first in PATH may not.
python_program() {
    if [ -x /usr/bin/python3 ]; then
        printf '/usr/bin/python3\n'
    else
        command -v python3
    fi
}

any_command() {
    for name in $1; do
        ! have "$name" || return 0
    done
    return 1
}

is_present() {
    case $1 in
    cmd:*) any_command "$(printf '%s' "${1#cmd:}" | tr '|' ' ')" ;;
    file:*) [ -e "${1#file:}" ] ;;
    pc:*) have pkg-config && pkg-config --exists "${1#pc:}" ;;
    py:*) python=$(python_program) && "$python" -c "import ${1#py:}" 2>/dev/null ;;
    pg:) pg_bin_dir >/dev/null ;;
    redis:) redis_program >/dev/null ;;
    clangrt:) have clang && [ -e "$(clang -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a 2>/dev/null)" ] ||
        have clang && ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer* >/dev/null 2>&1 ;;
    *) die "the package table names an unknown probe: $1" ;;
    esac
}

# missing_packages SET...: the packages of these sets whose probe fails, each once, on one line.
missing_packages() {
    for set in "$@"; do
        package_table | awk -v s="$set" '$1 == s { print $2, $3 }'
    done | sort -u | while read -r probe package; do
        is_present "$probe" || printf '%s\n' "$package"
    done | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# Debian's postgresql makes and starts a cluster of the system when it is installed. This file, there only during the
# installation, says not to; it is postgresql-common's own way to say so.
no_system_cluster=/etc/postgresql-common/createcluster.d/fullstackd.conf

apt_install() {
    has_no_cluster_file=0
    case " $* " in
    *" postgresql "*)
        has_no_cluster_file=1
        as_root sh -c "mkdir -p '$(dirname "$no_system_cluster")' && echo 'create_main_cluster = false' >'$no_system_cluster'"
        ;;
    esac
    apt_status=0
    step apt-update "Reading package lists" as_root apt-get update -q || warn "going on with the lists that are here"
    step apt-install "Installing $*" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@" || apt_status=1
    if [ "$has_no_cluster_file" -eq 1 ]; then
        as_root rm -f "$no_system_cluster"
    fi
    return "$apt_status"
}

# need SET...: makes sure that everything in these sets is there, or ends with what to do.
need() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    have apt-get || die "missing, by Debian's package names: $missing" \
        "Install what your system calls these, then repeat ./run $VERB"
    say "These Debian packages are missing and will be installed (apt-get, without recommended extras):"
    say "  $missing"
    case " $missing " in
    *" postgresql "*) say "  (no system database is created or started: the demo and the tests run private ones)" ;;
    esac
    is_root || say "  (through sudo)"
    confirm "Install them?" || die "not installed: $missing" \
        "Install them yourself, or repeat with -y:  ./run $VERB -y"
    # shellcheck disable=SC2086
    apt_install $missing || die "the packages could not be installed" \
        "See $LOG_DIR/apt-install.log; with no network, install these another way: $missing"
    missing=$(missing_packages "$@")
    [ -z "$missing" ] || die "still missing after installation: $missing"
}

# want SET...: like need, but a refusal or a failure only warns; returns 1 then.
want() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    (need "$@") && return 0
    warn "SKIP: without $missing the parts that need them are left out"
    return 1
}

# Programs under the names the tests look for, in a folder that goes first in PATH.
make_bin_dir() {
    mkdir -p "$BIN_DIR"
    # A ./run inside of a ./run must not find its own links, or they would point at themselves.
    PATH=$(printf '%s' "$PATH" | sed "s|$BIN_DIR:||g")
    ln -sfn "$(redis_program)" "$BIN_DIR/redis-server"
    ! python=$(python_program) || ln -sfn "$python" "$BIN_DIR/python3"
    PATH=$BIN_DIR:$PATH
    export PATH
}
