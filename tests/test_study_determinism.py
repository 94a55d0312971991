import os
import subprocess
import sys
from pathlib import Path

import pytest
from study_worlds import TEXT, scenario

import simbgp
from simbgp.study.local import records
from simbgp.study.replay import Job

LUCKY = """\
traffic: [{service: web, connections: 200, lifetime: {exponential: {mean: 60s}}}]
slo:
  - {metric: blackhole_s, stat: p50, max: 200s}
  - {metric: broken_share, stat: mean, max: 10%}
"""
ROOT = Path(simbgp.__file__).parents[1]


@pytest.fixture
def world(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text(TEXT + LUCKY)
    return path


def output(world, *more, hash_seed="0"):
    command = [sys.executable, "-m", "simbgp", "run", world, "--runs", "12", "--format", "json", "--quiet", *more]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.stderr == b""
    return done.stdout


def test_the_same_seed_gives_the_same_bytes_with_any_hash_seed_and_any_number_of_jobs(world):
    first = output(world)
    assert len(first) > 10_000
    assert output(world, hash_seed="1") == first
    assert output(world, "--jobs", "2", hash_seed="1") == first


def test_another_seed_gives_other_bytes():
    results = [simbgp.run(scenario(), runs=3, seed=seed).rows("windows") for seed in (0, 1)]
    assert results[0] != results[1]


def test_records_come_in_the_order_of_the_runs():
    job = Job(scenario().plan(), seed=0)
    assert [record.run for record in records(job, range(3, 10), jobs=2)] == list(range(3, 10))


def test_more_runs_begin_with_the_same_runs():
    few, many = (simbgp.run(scenario(), runs=runs).rows("windows") for runs in (3, 6))
    assert [row for row in many if row[0] < 3] == few
