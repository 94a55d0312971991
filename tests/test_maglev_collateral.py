"""Slots that change though their backend stays: against another implementation's Monte Carlo over sets of names.

A mean over so many sets here and ``reps`` there has to lie within three standard errors of both, or 5 % (Cilium's guide
says at most 1 % for tables of 100 slots for each backend; with 100 and more backends that is too little).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simbgp.traffic import maglev_table

ORACLES = Path(__file__).parent / "data" / "oracles"
ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for name in ("maglev_cilium_default_M16381", "maglev_fig12_disruption")
    for line in (ORACLES / f"{name}.jsonl").read_text().splitlines()
]
SETS = {16381: 30, 65537: 3, 655373: 1}
"""More of them where a single one says less."""


def keys(backends: int, names: int) -> list[str]:
    return [f"[10.{names}.{i // 250}.{i % 250 + 1}:8080/TCP,State:active]" for i in range(backends)]


@cache
def before(size: int, backends: int, names: int) -> np.ndarray:
    return maglev_table(keys(backends, names), size)


def collateral(size: int, backends: int, gone: int, names: int) -> float:
    """Share of the slots that change owner when ``gone`` backends at random leave, theirs not counted."""
    rng = np.random.Generator(np.random.Philox([size, backends, gone, names]))
    left = np.sort(rng.permutation(backends)[gone:])
    was = before(size, backends, names)
    named = keys(backends, names)
    after = left[maglev_table([named[place] for place in left], size)]
    return float(np.mean((was != after) & np.isin(was, left)))


def case_id(row: dict[str, Any]) -> str:
    return f"M{row['M']}-N{row['N']}-k{row['k']}"


@pytest.mark.parametrize("row", [row for row in ROWS if row["M"] < 655373 or row["k"] in (1, 10, 50)], ids=case_id)
def test_collateral_is_that_of_the_other_implementation(row: dict[str, Any]) -> None:
    sets = SETS[row["M"]]
    found = float(np.mean([collateral(row["M"], row["N"], row["k"], names) for names in range(sets)]))
    three_errors = 3 * row["sd_collateral"] * (1 / sets + 1 / row["reps"]) ** 0.5
    assert found == pytest.approx(row["collateral"], abs=max(three_errors, 0.05 * row["collateral"]))
