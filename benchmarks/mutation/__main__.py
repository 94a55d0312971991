"""Would the tests notice? ``python -m benchmarks.mutation [MODULE...] [--sample N --seed S]``.

MODULE is a folder or file below simbgp/; without one, the three rooms whose numbers people read: model/bgp, traffic,
measure. Goes on where it was stopped; ``--report`` only tells what is known. A mutant counts as survived if none of the
tests asked notices it; those are chosen by the lines that they reach, as many as ``--budget`` seconds of CPU allow, so
the share noticed is a lower bound. Needs the extra ``mutation``; what survived, and why, is in ``docs/mutation.md``.
"""

import argparse
import os
from pathlib import Path

import pytest

from benchmarks.mutation.campaign import Campaign, sample
from benchmarks.mutation.figures import report
from benchmarks.mutation.ledger import Ledger
from benchmarks.mutation.mutants import ROOMS, ROOT, files, mutants

FOLDER = ROOT / ".mutation"
NOT_ASKED = (
    "test_page_browser.py",
    "test_notebooks.py",
    "test_lab.py",
    "test_testing_plugin.py",
    "test_study_distributed.py",
)
"""They start processes of their own, which would not see the mutant."""

_OPTIONS = ("-s", "-o", "addopts=--strict-markers", "-p", "no:terminal", "-p", "no:cacheprovider")
_KNOWN = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # the campaign has simbgp at hand before pytest begins


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--sample", type=int, metavar="N", help="only N mutants, drawn from all of the modules")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--budget", type=float, default=6.0, metavar="S", help="CPU seconds of tests for one mutant")
    parser.add_argument("--tests", nargs="+", default=["tests"], metavar="PATH", help="the tests to choose from")
    parser.add_argument("--again", action="store_true", help="try those once more that survived or were not reached")
    parser.add_argument("--report", action="store_true", help="try nothing, tell what is known")
    parser.add_argument("--unread", type=Path, metavar="FILE", help="write survivors without a reason there, as CSV")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the progress is kept")
    return parser.parse_args()


def main() -> int:
    args = arguments()
    drawn = sample([mutant for file in files(args.modules) for mutant in mutants(file)], args.sample, args.seed)
    ledger = Ledger(args.folder / "ledger.jsonl")
    if not args.report:
        known = {mutant.key: ledger.of(mutant) for mutant in drawn}
        todo = [m for m in drawn if (v := known[m.key]) is None or (args.again and not v.fate.noticed)]
        if todo:
            os.chdir(ROOT)
            os.environ.update(CI="1", NUMBA_DISABLE_JIT="1")
            campaign = Campaign(todo, ledger, args.folder / "reach.jsonl", files(list(ROOMS)), args.budget)
            left_out = [f"--ignore=tests/{name}" for name in NOT_ASKED]
            code = pytest.main([*_OPTIONS, *_KNOWN, *left_out, *args.tests], plugins=[campaign])
            if code != pytest.ExitCode.OK:
                return int(code)
    return report(drawn, ledger, sampled=args.sample is not None, unread=args.unread)


if __name__ == "__main__":
    raise SystemExit(main())
