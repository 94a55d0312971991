"""The measured single failures against their predictions, as a picture: ``python -m benchmarks.calibration FILE``."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from benchmarks import control_plane, lab
from benchmarks.score import Score
from simbgp.report.figures import calibration, save
from simbgp.report.figures.calibration import COLUMNS

_MEASURED = "FRR 8.4.4, BIRD 2.0.12, GoBGP 3.10 to 4.8, OpenBGPD 7.7 on Linux 6.18, November 2026"
"""See data/README.md."""
_WORDS = {
    "t_session_down": "session lost",
    "t_route_withdrawn": "route withdrawn",
    "t_reestablished": "Established again",
    "lost_s": "traffic lost",
}
"""What is shown of all that is scored."""


def frame(found: Iterable[Score]) -> pd.DataFrame:
    """A row for each score of a value that was measured and that the prediction says happens every time."""
    shown = [score for score in found if score.value in _WORDS and score.measured is not None and score.spread]
    rows = [(_WORDS[score.value], score.measured, *score.spread) for score in shown if score.spread]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("file", type=Path, metavar="FILE", help="A .png, .svg or .pdf.")
    ask.add_argument("--runs", type=int, default=200)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--only", action="append", default=[], metavar="COLUMN=VALUE")
    args = ask.parse_args()
    found = control_plane.cells(lab.read("control_plane.csv"), args.only)
    judged = lab.in_parallel(
        control_plane.judge, args.jobs, list(found), list(found.values()), [args.runs] * len(found)
    )
    shown = frame(score for scored in judged for score in scored)
    save(calibration(shown, of_what=_MEASURED), args.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
