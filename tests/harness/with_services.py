#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a command with a private PostgreSQL and a private Redis, and stops both afterwards.

    with_services.py [--cache DIR] [--fsync] [--no-redis] [--keep] CMD ARGS...

The command finds in its environment:
  FS_PG_CONNINFO    key=value text of the Unix socket, role and database "fullstackd", trusted
  FS_PG_SOCKET_DIR  folder of the socket
  FS_PG_PORT        port on 127.0.0.1 (password needed there) and number in the socket's name
  FS_PG_CTL         script: `$FS_PG_CTL start|stop|restart|pid`
  FS_REDIS_SOCKET   Unix socket of Redis
  FS_REDIS_CTL      script: `$FS_REDIS_CTL start|stop|pid`
Exit code: the command's; 77 ("skipped", said loudly) when a server program is not installed; 1 when one does not start.
--cache keeps the freshly initialised data folder for the next run. Without --fsync a power cut would lose data, which
tests do not mind. PG_BIN names another folder of PostgreSQL programs. Whatever the command leaves running is stopped as
well, and all of it when this is ended from outside (keeper.py). Standard library only.
"""
import argparse
import fcntl
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import keeper  # noqa: E402

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
max_connections = 120
shared_buffers = 32MB
fsync = {fsync}
full_page_writes = {fsync}
log_min_messages = warning
log_line_prefix = '%m [%p] %a '
logging_collector = off
"""
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def find_pg_bin():
    own = os.environ.get("PG_BIN")
    if own:
        return own
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/pgsql-*/bin/initdb")
    found.sort(key=lambda path: int(re.search(r"(\d+)/bin", path).group(1)))
    if found:
        return os.path.dirname(found[-1])
    path = shutil.which("initdb")
    return os.path.dirname(os.path.realpath(path)) if path else None


def as_server_user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return [], None
    user = pwd.getpwnam("postgres" if any(u.pw_name == "postgres" for u in pwd.getpwall()) else "nobody")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def own(path, user):
    if user:
        os.chown(path, user.pw_uid, user.pw_gid)


def run_quiet(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")


def init_data(bin_dir, prefix, user, cache, work):
    data = os.path.join(work, "data")
    version = subprocess.run([f"{bin_dir}/initdb", "--version"], stdout=subprocess.PIPE, text=True).stdout.split()[-1]
    template = os.path.join(cache, f"pg-{version}-uid{os.geteuid()}") if cache else None
    if template and os.path.exists(template + ".done"):
        shutil.copytree(template, data, symlinks=True)
    else:
        os.mkdir(data, 0o700)
        own(data, user)
        run_quiet(prefix + [f"{bin_dir}/initdb", "-D", data, "-U", "fullstackd", "-A", "trust", "-E", "UTF8",
                            "--locale=C.UTF-8", "--no-sync"])
        if template:
            shutil.rmtree(template, ignore_errors=True)
            shutil.copytree(data, template, symlinks=True)
            with open(template + ".done", "w"):
                pass
    if user:
        for folder, _, files in os.walk(data):
            for name in [folder] + [os.path.join(folder, f) for f in files]:
                own(name, user)
    return data


def write(path, text, mode=0o644, user=None):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    own(path, user)


class Postgres:
    def __init__(self, work, cache, fsync):
        self.bin = find_pg_bin()
        prefix, user = as_server_user()
        if cache:
            os.makedirs(cache, exist_ok=True)
            with open(os.path.join(cache, "lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.data = init_data(self.bin, prefix, user, cache, work)
        else:
            self.data = init_data(self.bin, prefix, user, None, work)
        self.port = free_port()
        self.log = os.path.join(work, "postgres.log")
        write(self.log, "", 0o644, user)
        sockets = os.path.join(work, "pg")
        os.mkdir(sockets, 0o755)
        own(sockets, user)
        self.sockets = sockets
        settings = SETTINGS.format(port=self.port, sockets=sockets, fsync="on" if fsync else "off")
        write(os.path.join(self.data, "postgresql.auto.conf"), settings, 0o600, user)
        write(os.path.join(self.data, "pg_hba.conf"), HBA, 0o600, user)
        self.ctl = os.path.join(work, "pg.sh")
        start = " ".join(prefix + [f"{self.bin}/pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60"])
        write(self.ctl, "#!/bin/sh\nset -e\ncd /\ncase $1 in\n"
              f"start) {start} start >/dev/null ;;\n"
              f"stop) {start} -m ${{2:-fast}} stop >/dev/null ;;\n"
              f"restart) {start} -m ${{2:-fast}} restart >/dev/null ;;\n"
              f"pid) head -n 1 {self.data}/postmaster.pid ;;\n"
              "*) exit 2 ;;\nesac\n", 0o755)
        if subprocess.call([self.ctl, "start"]) != 0:
            sys.exit("PostgreSQL did not start:\n" + open(self.log).read()[-4000:])
        run_quiet([f"{self.bin}/psql", "-qX", "-h", sockets, "-p", str(self.port), "-U", "fullstackd", "-d", "postgres",
                   "-c", "CREATE DATABASE fullstackd"])

    def environment(self):
        return {
            "FS_PG_CONNINFO": f"host={self.sockets} port={self.port} user=fullstackd dbname=fullstackd",
            "FS_PG_SOCKET_DIR": self.sockets,
            "FS_PG_PORT": str(self.port),
            "FS_PG_CTL": self.ctl,
        }

    def ending(self):
        """(pid, signal that ends it at once); the pid is None when it does not run."""
        return read_pid(os.path.join(self.data, "postmaster.pid")), signal.SIGQUIT


class Redis:
    def __init__(self, work):
        self.socket = os.path.join(work, "redis.sock")
        self.pidfile = os.path.join(work, "redis.pid")
        conf = os.path.join(work, "redis.conf")
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        write(conf, f"port 0\nunixsocket {self.socket}\nunixsocketperm 700\ndaemonize yes\npidfile {self.pidfile}\n"
              f"save \"\"\nappendonly no\ndir {work}\nlogfile {work}/redis.log\n")
        self.ctl = os.path.join(work, "redis.sh")
        write(self.ctl, "#!/bin/sh\nset -e\ncase $1 in\n"
              f"start) {program} {conf}; while [ ! -S {self.socket} ]; do sleep 0.02; done ;;\n"
              f"stop) p=$(cat {self.pidfile}); kill -CONT $p; kill $p; "
              "while kill -0 $p 2>/dev/null; do sleep 0.02; done ;;\n"
              f"pid) cat {self.pidfile} ;;\n"
              "*) exit 2 ;;\nesac\n", 0o755)
        if subprocess.call([self.ctl, "start"]) != 0:
            sys.exit("Redis did not start")

    def environment(self):
        return {"FS_REDIS_SOCKET": self.socket, "FS_REDIS_CTL": self.ctl}

    def ending(self):
        return read_pid(self.pidfile), signal.SIGTERM


def read_pid(path):
    try:
        with open(path) as f:
            return int(f.readline())
    except (OSError, ValueError):
        return None


def missing_programs(want_redis):
    missing = [] if find_pg_bin() else ["postgresql"]
    if want_redis and not (shutil.which("redis-server") or shutil.which("valkey-server")):
        missing.append("redis-server")
    return missing


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--cache")
    parser.add_argument("--fsync", action="store_true")
    parser.add_argument("--no-redis", action="store_true")
    parser.add_argument("--keep", action="store_true", help="do not remove the temporary folder")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    missing = missing_programs(not options.no_redis)
    if missing:
        print(f"SKIPPED: not installed: {', '.join(missing)}", file=sys.stderr)
        return 77
    return keeper.keep(lambda: serve(options))


def serve(options):
    work = tempfile.mkdtemp(prefix="fs-services-")
    os.chmod(work, 0o755)
    services = []
    is_over = False
    try:
        services.append(Postgres(work, options.cache, options.fsync))
        if not options.no_redis:
            services.append(Redis(work))
        environment = dict(os.environ)
        for service in services:
            environment.update(service.environment())
        status = keeper.run(options.command, environment)
        is_over = True
        return status
    finally:
        left = keeper.stop_all(dict(service.ending() for service in services))
        if is_over and left:
            print(f"the command left running, now stopped: {', '.join(left)}", file=sys.stderr)
        if options.keep:
            print(f"kept: {work}", file=sys.stderr)
        else:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
