#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One run of one fault inside with_services.py: job.py FAULT SEED JSON-OF-ARGUMENTS. Its last line is what was found."""
import json
import signal
import sys
import traceback

from faults import FAULTS
from witness import Findings


def main():
    fault, seed, args = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    row = FAULTS[fault]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by the way of every `with`, so that nothing is left running
    try:
        findings = row["run"](seed, **row["args"], **args)
    except Exception as e:  # a ground that cannot be left well is a finding like any other
        traceback.print_exc()
        findings = Findings()
        findings.add("stuck", f"{type(e).__name__}: {e}")
    print(json.dumps({"runs": findings.runs, "hits": findings.hits, "missed": findings.missed, **findings.texts}), flush=True)
    return 0 if findings.is_clean and not findings.missed else 1


if __name__ == "__main__":
    sys.exit(main())
