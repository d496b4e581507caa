# SPDX-License-Identifier: MIT
"""The limit that the server is compared with: the same objects posted in parallel by a client that does nothing else."""
import json
import os
import shutil
import subprocess

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rawcreate")


class Raw:
    def __init__(self, build):
        self.objects = f"{build}/tests/bench/bench_objects"
        self.program = os.path.abspath(f"{build}/tests/bench/rawcreate")

    def lacks(self):
        """None, or why there is nothing to compare with."""
        if os.path.exists(self.program) and os.path.getmtime(self.program) > os.path.getmtime(f"{SOURCE}/main.go"):
            return None
        if shutil.which("go") is None:
            return "Go is not installed, which the raw client is built with"
        subprocess.run(["go", "build", "-o", self.program, "."], cwd=SOURCE, check=True, env=dict(os.environ, CGO_ENABLED="0"))
        return None

    def write(self, place, prefix, n):
        """The objects of n projects, as the server would make them there."""
        done = subprocess.run([self.objects, place.namespace, prefix, str(n)], check=True, capture_output=True)
        return done.stdout

    def run(self, place, n, wait=True):
        """What the client says of itself; "wall_s": until all is written and runs."""
        argv = [self.program, "-server", place.server, "-ca", place.ca, "-token-file", place.token, f"-wait={str(wait).lower()}"]
        done = subprocess.run(argv, input=self.write(place, "raw", n), check=True, capture_output=True)
        said = json.loads(done.stdout)
        return dict(said, wall_s=max(said["written_s"], said["running_s"]))
