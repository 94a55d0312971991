"""The command: many inputs in a few processes, each input within 5 s and 1 GB."""

import argparse
import sys
import time
from multiprocessing import get_context

from benchmarks.fuzz.limits import Finding, fed
from benchmarks.fuzz.targets import TARGETS

_CHUNK = 500


def main() -> int:
    """Feed what is asked; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="default all: %(choices)s")
    parser.add_argument("--inputs", type=int, default=100_000, help="of each target (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first input (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default %(default)s)")
    asked = parser.parse_args()
    found = 0
    for target in asked.targets or TARGETS:
        began = time.monotonic()
        last = asked.first + asked.inputs
        chunks = [(target, range(at, min(at + _CHUNK, last))) for at in range(asked.first, last, _CHUNK)]
        seen: dict[str, Finding] = {}
        count = 0
        with get_context("spawn").Pool(asked.jobs, maxtasksperchild=20) as pool:
            for findings in pool.imap_unordered(fed, chunks):
                count += len(findings)
                for finding in findings:
                    if seen.setdefault(finding.what, finding) is finding:
                        print(f"  {target} {finding.number}: {finding.what}", flush=True)
        found += count
        lasted_s = time.monotonic() - began
        print(f"{target}: {asked.inputs} inputs, {count} findings of {len(seen)} kinds, {lasted_s:.0f} s", flush=True)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
