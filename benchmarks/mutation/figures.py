"""The figures of a campaign: what share of the mutants was noticed, and which ones were not, each with its reason."""

import csv
from collections import Counter
from pathlib import Path

from benchmarks.mutation.ledger import Fate, Ledger
from benchmarks.mutation.mutants import ROOMS, ROOT, Mutant
from simbgp.measure.intervals import wilson

BAR = 0.85
REASONS = ROOT / "benchmarks" / "data" / "survivors.csv"
COLUMNS = ("file", "function", "before", "after", "nth", "class", "reason")


def reasons(path: Path = REASONS) -> dict[tuple[str, str, str, str, int], tuple[str, str]]:
    """Class and reason of each survivor that somebody has read."""
    if not path.exists():
        return {}
    with path.open(newline="") as rows:
        read = csv.DictReader(rows)
        return {
            (row["file"], row["function"], row["before"], row["after"], int(row["nth"])): (row["class"], row["reason"])
            for row in read
        }


def report(drawn: list[Mutant], ledger: Ledger, *, sampled: bool, unread: Path | None = None) -> int:
    """Print the figures and the survivors without a reason, these to ``unread`` too, as rows to be filled in.

    Exit code 1 if fewer than `BAR` were noticed.
    """
    known = ledger.verdicts(drawn)
    read = reasons()
    print(f"{'module':<34} {'mutants':>8} {'killed':>7} {'timeout':>8} {'survived':>9} {'unreached':>10}  noticed")
    for file in dict.fromkeys(mutant.file for mutant in drawn):
        _line(file.removeprefix("simbgp/"), [v.fate for m, v in known if m.file == file])
    for room in ROOMS:
        fates = [v.fate for m, v in known if m.file.startswith(room + "/")]
        if fates:
            _line(room.removeprefix("simbgp/") + "/", fates, interval=sampled)
    fates = [verdict.fate for _, verdict in known]
    _line("all", fates, interval=sampled)
    if len(known) < len(drawn):
        print(f"{len(drawn) - len(known)} of {len(drawn)} mutants not tried yet")
    left = {mutant: verdict for mutant, verdict in known if not verdict.fate.noticed}
    unclear = {True: "(no reason yet)", False: "(no reason yet; the budget left tests unasked)"}
    classes = Counter(read[m.key][0] if m.key in read else unclear[v.all_asked] for m, v in left.items())
    for name, count in classes.most_common():
        print(f"  survived: {count:>5}  {name}")
    noticed = sum(verdict.fate.noticed and mutant.key in read for mutant, verdict in known)
    if noticed:
        print(f"  {noticed} mutants with a reason to survive do so no more: see {REASONS.relative_to(ROOT)}")
    unknown = [mutant for mutant in left if mutant.key not in read]
    for mutant in unknown:
        print(f"{mutant.file}:{mutant.line} {mutant.function}\n    - {mutant.before}\n    + {mutant.after}")
    if unread is not None:
        with unread.open("w", newline="") as rows:
            csv.writer(rows).writerows([COLUMNS, *((*mutant.key, "", "") for mutant in unknown)])
    return int(bool(fates) and sum(fate.noticed for fate in fates) < BAR * len(fates))


def _line(name: str, fates: list[Fate], *, interval: bool = False) -> None:
    counts = Counter(fates)
    if not fates:
        return
    found = wilson(sum(fate.noticed for fate in fates), len(fates))
    ends = f" [{found.low:.1%}, {found.high:.1%}]" if interval else ""
    numbers = (
        f"{counts[Fate.KILLED]:>7} {counts[Fate.TIMEOUT]:>8} {counts[Fate.SURVIVED]:>9} {counts[Fate.UNREACHED]:>10}"
    )
    print(f"{name:<34} {len(fates):>8} {numbers}  {found.value:.1%}{ends}")
