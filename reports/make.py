"""Remake the gallery: ``python -m reports.make [NAME...]``.

For each scenario the report that ``simbgp run`` prints and the strip of its worst run; README.md shows them all. The
same version of simbgp prints the same texts; the pictures are the same bytes with the same matplotlib.
"""

import sys
from pathlib import Path

import click

import simbgp
from simbgp.report.figures import save, timeline_strip, upgrade_fan
from simbgp.report.text import report
from simbgp.study import Result
from simbgp.study.remedy import advise

FOLDER = Path(__file__).resolve().parent
RUNS = 100
SHOWN = (
    "agent-crash",
    "agent-crash-gr",
    "agent-crash-llgr",
    "node-down",
    "node-down-gr",
    "guide-node-loss",
    "guide-drain",
    "guide-drain-no-wait",
    "guide-link-direct",
    "guide-link-switched",
    "guide-upgrade-pull",
    "guide-backends-down-local",
    "regression-restart-bit",
    "regression-silent-return",
)
"""In the order of the page."""


def played(name: str) -> Result:
    """A shipped scenario, by the name of its file; once if nothing in it is random."""
    scenario = simbgp.load(f"scenarios/{name}.yaml")
    result = simbgp.run(scenario, 1)
    return result if result.exact else simbgp.run(scenario, RUNS)


def text(result: Result) -> str:
    """What the command prints, without colour."""
    return click.unstyle(report(result, advise(result))) + "\n"


def draw(result: Result, file: Path) -> None:
    """The rollout's fan if there is one, else the strip of the worst run."""
    rolls_out = any(fault.kind == "agent-upgrade" for fault in result.plan.faults)
    figure = upgrade_fan(result) if rolls_out else timeline_strip(result)
    save(figure, file)


def index() -> str:
    """The page that shows them all."""
    lines = [
        "# Reports of shipped scenarios",
        "",
        f"Made by `python -m reports.make`, {RUNS} runs each, seed 0; one where every run is the same. The picture is",
        "the worst run; of a rollout it is the median of all.",
    ]
    for name in SHOWN:
        described = " ".join(simbgp.load(f"scenarios/{name}.yaml").description.split())
        lines += ["", f"## [{name}]({name}.txt)", "", described, "", f"![{name}]({name}.png)"]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> int:
    """Make those of ``names``, without any all of them and the page."""
    unknown = [name for name in names if name not in SHOWN]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; allowed: {', '.join(SHOWN)}", file=sys.stderr)
        return 2
    for name in names or SHOWN:
        result = played(name)
        (FOLDER / f"{name}.txt").write_text(text(result), encoding="utf-8")
        draw(result, FOLDER / f"{name}.png")
    (FOLDER / "README.md").write_text(index(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
