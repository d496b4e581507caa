# SPDX-License-Identifier: MIT
"""Stops time at each row of the journal. A trigger hands every row to us over a named pipe and waits, in the middle of its
transaction, until we let it go on: whoever writes the row can be killed while it is being written (it takes effect, and
nobody hears so), or as soon as it was told."""
import os
import shutil
import subprocess
import tempfile
import threading

TRIGGER = """
CREATE FUNCTION chaos_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L) TO %L', concat_ws(' ', NEW.seq, NEW.project_id, current_setting('application_name')),
                   '{ask}');
    EXECUTE format('COPY (SELECT 1) TO %L', '{go}');
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_row AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION chaos_row();
"""
TOLD_WITHIN_S = 10


class RowGate(threading.Thread):
    """Of one ground with one user: only then its rows come one by one."""

    def __init__(self, ground):
        super().__init__(daemon=True)
        self.ground = ground
        self.lock = threading.Lock()
        self.armed_at, self.mode, self.seen, self.project = 0, None, 0, None
        self.is_closed = False
        self.dir = tempfile.mkdtemp(prefix="fullstackd-rows-")
        os.chmod(self.dir, 0o755)
        self.ask, self.go = f"{self.dir}/ask", f"{self.dir}/go"
        for path in (self.ask, self.go):
            os.mkfifo(path)
            os.chmod(path, 0o666)

    def __enter__(self):
        self.start()
        self.psql(TRIGGER.format(ask=self.ask, go=self.go))
        return self

    def __exit__(self, *exc):
        self.psql("DROP FUNCTION chaos_row CASCADE")
        self.is_closed = True
        with open(self.ask, "w"):  # wakes the thread
            pass
        self.join(10)
        shutil.rmtree(self.dir)

    def psql(self, text):
        conninfo = (f"host={os.environ['FS_PG_SOCKET_DIR']} port={os.environ['FS_PG_PORT']} user=fullstackd "
                    f"dbname={self.ground.database}")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", conninfo, "-c", text], check=True)

    def arm(self, project, n, mode):
        """The n-th row of the project from now on is somebody's last. mode: "unheard" or "told"."""
        with self.lock:
            self.armed_at, self.mode, self.seen, self.project = n, mode, 0, project

    def is_it(self, project):
        with self.lock:
            self.seen += project == self.project
            return project == self.project and self.seen == self.armed_at

    def run(self):
        while True:
            with open(self.ask) as pipe:
                line = pipe.read()
            if self.is_closed:
                return
            seq, project, name = line.split()
            is_it = self.is_it(project)
            if is_it and self.mode == "unheard":
                self.ground.kill(name)
            with open(self.go) as pipe:
                pipe.read()
            if is_it and self.mode == "told":
                self.ground.witness.has(int(seq), TOLD_WITHIN_S)
                self.ground.kill(name)
