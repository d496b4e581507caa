#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves a verb of ./run in a Debian that has nothing: debootstrap's smallest system, a clone of HEAD, this machine's network.
# usage: tools/fresh.sh bookworm|trixie [build|demo|test [ARGUMENT...]]     as root; default: demo, then test
#
# With FRESH_USER=1 an ordinary user with sudo does it. Everything runs in namespaces of its own (mounts, processes), so
# nothing is left mounted or running whatever happens. The mirror is the one apt uses here. FRESH_KEEP=1 keeps the folder.
set -eu
cd "$(dirname -- "$0")/.."
repository=$(pwd -P)
cache=${FRESH_CACHE:-/var/tmp/fullstackd-fresh}

die() {
    printf 'fresh: %s\n' "$*" >&2
    exit 1
}

# The addresses apt uses on this machine.
uris() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed 's|/*$||' | sort -u
}

# Outside the namespaces -------------------------------------------------------------------------------------------------

make_base() {
    [ ! -f "$cache/$suite.tar" ] || return 0
    mirror=${FRESH_MIRROR:-$(uris | grep '/debian$' | head -n 1)}
    [ -n "$mirror" ] || die "apt names no Debian mirror here; set FRESH_MIRROR"
    echo "debootstrap $suite"
    mkdir -p "$cache"
    rm -rf "$cache/$suite.new"
    debootstrap --variant=minbase "$suite" "$cache/$suite.new" "$mirror" >"$cache/$suite.log" 2>&1 ||
        die "debootstrap failed, see $cache/$suite.log"
    {
        echo "deb $mirror $suite main"
        echo "deb $mirror $suite-updates main"
        security=$(uris | grep '/debian-security$' | head -n 1)
        [ -z "$security" ] || echo "deb $security $suite-security main"
    } >"$cache/$suite.new/etc/apt/sources.list"
    tar -C "$cache/$suite.new" -cf "$cache/$suite.tar.new" .
    mv "$cache/$suite.tar.new" "$cache/$suite.tar"
    rm -rf "$cache/$suite.new"
}

outside() {
    suite=${1:?which suite: bookworm or trixie}
    shift
    [ "$(id -u)" -eq 0 ] || die "this needs root"
    command -v debootstrap >/dev/null || die "this needs debootstrap (apt-get install debootstrap)"
    make_base
    room=$(mktemp -d "$cache/$suite.XXXXXX")
    if [ -n "${FRESH_KEEP:-}" ]; then echo "kept: $room"; else trap 'rm -rf "$room"' EXIT; fi
    tar -C "$room" -xf "$cache/$suite.tar"
    cp -L /etc/resolv.conf "$room/etc/resolv.conf"
    mkdir -p "$room/usr/local/share/ca-certificates" "$room/src"
    cp -L /usr/local/share/ca-certificates/*.crt "$room/usr/local/share/ca-certificates/" 2>/dev/null || true
    git clone -q --no-hardlinks "$repository" "$room/src/fullstackd"
    cp "$0" "$room/src/fresh.sh" 2>/dev/null || cp tools/fresh.sh "$room/src/fresh.sh"
    unshare --mount --pid --fork --kill-child sh "$repository/tools/fresh.sh" --mounts "$room" "$@"
}

# In the namespaces, before chroot ---------------------------------------------------------------------------------------

mounts() {
    room=$1
    shift
    mount --make-rprivate /
    mount -t proc proc "$room/proc"
    mount -t sysfs -o ro sysfs "$room/sys" 2>/dev/null || true
    for device in null zero full random urandom tty; do
        touch "$room/dev/$device"
        mount --bind "/dev/$device" "$room/dev/$device"
    done
    mkdir -p "$room/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$room/dev/shm"
    # What a network behind a proxy or a certificate of its own needs; nothing else of this machine's environment.
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" CI=true \
        FRESH_USER="${FRESH_USER:-}" ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} \
        ${no_proxy:+"no_proxy=$no_proxy"} ${NODE_EXTRA_CA_CERTS:+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} \
        chroot "$room" sh /src/fresh.sh --inside "$@"
}

# In the chroot -------------------------------------------------------------------------------------------------------------

as_user() {
    if [ -n "${FRESH_USER:-}" ]; then
        runuser -u dev -- "$@"
    else
        "$@"
    fi
}

timed() {
    timed_from=$(date +%s)
    "$@"
    echo "fresh: $* took $(($(date +%s) - timed_from)) s"
}

# The processes of this namespace besides this script's own.
others_n() {
    n=0
    for stat in /proc/[0-9]*/cmdline; do
        case $(tr '\0' ' ' <"$stat" 2>/dev/null) in
        '' | *fresh.sh*) ;;
        *) n=$((n + 1)) ;;
        esac
    done
    echo "$n"
}

prove_demo() {
    timed as_user ./run demo -y --detach --zero-delay
    address=http://127.0.0.1:$(cat .run/address)
    curl -fsS "$address/readyz" >/dev/null || die "the server does not answer"
    as_user tests/harness/smoke.sh "$(as_user ./run demo -y | grep -o 'http[^ ]*')"
    as_user ./run stop
    [ "$(others_n)" -eq 0 ] || die "after ./run stop something still runs: $(ps ax 2>/dev/null)"
    echo "fresh: the demo works and leaves nothing running"
    prove_offline
}

# The second start with no network at all but the loopback interface.
prove_offline() {
    sed -i 's/^nameserver.*/nameserver 192.0.2.1/' /etc/resolv.conf
    mv /etc/apt/sources.list /etc/apt/sources.list.away
    timed as_user ./run demo -y --detach --zero-delay
    as_user tests/harness/smoke.sh "$(as_user ./run demo -y | grep -o 'http[^ ]*')"
    as_user ./run stop
    mv /etc/apt/sources.list.away /etc/apt/sources.list
    cp /src/resolv.conf /etc/resolv.conf
    echo "fresh: the second start needs no network"
}

inside() {
    cp /etc/resolv.conf /src/resolv.conf
    cd /src/fullstackd
    if [ -n "${FRESH_USER:-}" ]; then
        apt-get update -q >/dev/null && apt-get install -q -y --no-install-recommends sudo >/dev/null
        useradd -m dev
        echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev
        chown -R dev: /src
        export HOME=/home/dev
    fi
    case ${1:-all} in
    demo) prove_demo ;;
    all)
        prove_demo
        timed as_user ./run test -y
        ;;
    *) timed as_user ./run "$@" -y ;;
    esac
}

case ${1:-} in
--mounts)
    shift
    mounts "$@"
    ;;
--inside)
    shift
    inside "$@"
    ;;
*) outside "$@" ;;
esac
