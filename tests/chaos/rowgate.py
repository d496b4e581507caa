# SPDX-License-Identifier: MIT
"""Stops time at each row of the journal. A trigger hands every row to us over a named pipe and waits, in the middle of its
transaction, until we let it go on: whoever writes the row can be killed while it is being written (it takes effect, and
nobody hears so), or as soon as it was told."""
import os
import select
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
GO_WITHIN_S = 5  # longer than a statement may take, see kills.py


class RowGate(threading.Thread):
    """Of one ground with one user: only then its rows come one by one."""

    def __init__(self, ground, mode):
        super().__init__(daemon=True)
        self.ground = ground
        self.lock = threading.Lock()
        self.mode = mode
        self.armed = {}  # project: how many more of its rows until the one that is somebody's last
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

    def arm(self, name, project, n):
        """The n-th row of the project from now on is somebody's last."""
        with self.lock:
            self.armed[project] = n

    def disarm(self, name, project):
        """How many rows more it would have been; 0 or less: there was such a row."""
        with self.lock:
            return self.armed.pop(project, 1)

    def is_it(self, project):
        with self.lock:
            if project not in self.armed:
                return False
            self.armed[project] -= 1
            return self.armed[project] == 0

    def run(self):
        while True:
            with open(self.ask) as pipe:
                line = pipe.read()
            if self.is_closed:
                return
            if not line:
                continue  # a statement that was cancelled while it waited
            seq, project, name = line.split()
            is_it = self.is_it(project)
            if is_it and self.mode == "unheard":
                self.ground.kill(name)
            self.let_go()
            if is_it and self.mode == "told":
                threading.Thread(target=self.kill_when_told, args=(int(seq), name), daemon=True).start()

    def kill_when_told(self, seq, name):
        self.ground.witness.has(seq, TOLD_WITHIN_S)
        self.ground.kill(name)

    def let_go(self):
        """Lets the writer open its end and waits for its word; a statement that is cancelled just now never says it."""
        pipe = os.open(self.go, os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready = select.poll()
            ready.register(pipe, select.POLLIN)
            ready.poll(GO_WITHIN_S * 1000)
        finally:
            os.close(pipe)
