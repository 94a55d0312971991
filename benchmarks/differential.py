"""The model against closed forms, on as many random settings as you like: ``python -m benchmarks.differential``.

The cases are those of tests/test_differential.py, which plays 250 settings of each.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from closed_form_oracle import CASES, Setting


def main() -> int:
    """Print each setting that is not as paper and pencil say; 1 if there is one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.differential", description=__doc__)
    parser.add_argument("--settings", type=int, default=20_000, help="of each case (default %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (default %(default)s)")
    asked = parser.parse_args()
    wrong = 0
    for case in CASES:
        failed = 0
        for number in range(asked.first, asked.first + asked.settings):
            setting = Setting.draw(number)
            try:
                case(setting)
            except AssertionError as error:
                failed += 1
                print(f"  {case.__name__}: {setting}: {error}")
        wrong += failed
        print(f"{case.__name__:<24} {asked.settings} settings, {failed} differ", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
