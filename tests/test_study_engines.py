import os
import pickle
import subprocess
import sys

import pytest
from study_worlds import scenario

import simbgp
from simbgp.study.batch import Batch
from simbgp.study.engines import EngineError, engine_at
from simbgp.study.local import Local
from simbgp.study.replay import Job


def batch(runs=60):
    job = Job(scenario().plan(), 0, tables=frozenset({"windows"}))
    return Batch((job,), (runs,))


def plain(parts):
    return [record.rows.tables["windows"] for part in parts for record in part[0]]


def test_processes_give_what_this_process_gives():
    of = batch()
    with Local(1) as here, Local(2) as there:
        assert plain(there.map(of, of.parts(range(60)))) == plain(here.map(of, of.parts(range(60))))


def dying(engine, times):
    """Have the next ``times`` parts end their worker instead of being played."""
    original, left = engine._submit, [times]

    def submit(payload, part):
        future = original(payload, part)
        if not left[0]:
            return future
        left[0] -= 1
        return engine._pool.submit(os._exit, 1)

    return submit


def test_a_lost_worker_costs_its_part_and_no_run(monkeypatch):
    of = batch()
    with Local(2) as engine:
        monkeypatch.setattr(engine, "_submit", dying(engine, 1))
        assert len(plain(engine.map(of, of.parts(range(60))))) == 60


def test_workers_that_keep_dying_are_an_error(monkeypatch):
    of = batch()
    with Local(2) as engine:
        monkeypatch.setattr(engine, "_submit", dying(engine, 1000))
        with pytest.raises(
            EngineError, match="3 worker processes died one after the other: out of memory, or a script"
        ):
            list(engine.map(of, of.parts(range(60))))


@pytest.mark.parametrize(
    ("where", "said"), [("cloud", "allowed: local, or a scheduler"), ("http://x:1", "unknown engine")]
)
def test_an_unknown_engine_is_refused(where, said):
    with pytest.raises(EngineError, match=said):
        engine_at(where, 1)


def test_runs_go_on_until_the_interval_is_as_narrow_as_asked():
    # the mean of a uniform 180..210 s is known to 8.66 / sqrt(n): 1.96 * 8.66 / sqrt(100) / 195 = .9 %
    world = scenario(slo=[{"metric": "blackhole_s", "stat": "mean", "max": "1s"}])
    assert simbgp.run(world, precision=0.02).runs == 100
    found = simbgp.run(world, precision=0.005)
    estimate = found.slo[0].estimate
    assert found.runs > 200
    assert (estimate.high - estimate.low) / 2 <= 0.005 * estimate.value


def test_a_precision_ends_at_the_most_runs():
    world = scenario(slo=[{"metric": "blackhole_s", "stat": "p99", "max": "1s"}])
    assert simbgp.run(world, runs=120, precision=1e-6).runs == 120


def test_an_extreme_gets_no_narrower_and_does_not_hold_a_study_up():
    world = scenario(slo=[{"metric": "blackhole_s", "stat": "max", "max": "1s"}])
    assert simbgp.run(world, precision=1e-9).runs == 100


def test_a_worker_loads_nothing_that_reads_scenarios():
    # what every worker of a study pays before its first run
    code = (
        "import pickle, sys; from simbgp.study.local import _play; batch = pickle.load(sys.stdin.buffer); "
        "_play(pickle.dumps(batch), range(1)); "
        "print(sorted({'pydantic', 'ruamel', 'scipy', 'pandas', 'rich', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(batch(1)), capture_output=True, check=True)
    assert done.stdout == b"[]\n"
