"""What a run leaves behind: traffic nothing, for its arrays are large; and how often Python looks for garbage."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from simbgp.scenario import Plan, load
from simbgp.study.batch import Batch
from simbgp.study.replay import Job, timeline
from simbgp.traffic import outcomes, windows
from simbgp.traffic.lives import Lives

SCENARIOS = Path(__file__).parent.parent / "scenarios"
OTHER_THRESHOLD = 123


@pytest.fixture(name="plan")
def _plan() -> Plan:
    return load(SCENARIOS / "node-down.yaml").plan()


@pytest.fixture(name="_kept")
def _threshold_kept() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_connections_are_gone_with_their_run_before_anybody_collects(plan: Plan) -> None:
    happened = timeline(plan, seed=0, run=0)
    gc.collect()
    gc.disable()
    try:
        windows(plan, happened, 0, 0)
        found = outcomes(plan, happened, 0, 0)
        left = sum(isinstance(each, Lives) for each in gc.get_objects())
    finally:
        gc.enable()
    assert found[0].reset > 0  # they were played
    assert left == 0


@pytest.mark.parametrize(("own", "meanwhile"), [(OTHER_THRESHOLD, 10_000), (50_000, 50_000), (0, 0)])
@pytest.mark.usefixtures("_kept")
def test_python_looks_for_garbage_rarely_while_runs_are_played_and_as_before_afterwards(
    plan: Plan, own: int, meanwhile: int
) -> None:
    gc.set_threshold(own, 7, 8)
    seen: list[tuple[int, int, int]] = []
    Batch((Job(plan, 0),), (2,)).play(range(2), lambda _: seen.append(gc.get_threshold()))
    assert seen == [(meanwhile, 7, 8)] * 2
    assert gc.get_threshold() == (own, 7, 8)
