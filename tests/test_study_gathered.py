import tracemalloc

import pytest
from study_worlds import scenario

from simbgp.measure import Question, Value
from simbgp.study.gathered import Gathered, Values
from simbgp.study.replay import Job, Record
from simbgp.study.rows import Rows

FEW = [Value(1.5), None, Value(600.0, censored=True)]


def test_values_come_back_as_they_went_in():
    assert list(Values(FEW)) == FEW
    assert list(Values(FEW)[1:]) == FEW[1:]
    assert Values(FEW)[-1] == FEW[-1]


def test_there_is_no_value_beyond_the_last():
    with pytest.raises(IndexError):
        Values(FEW)[3]


def test_a_hundred_thousand_runs_without_rows_take_a_few_megabytes():
    # eight bytes for the number, one for its kind; lists grow by an eighth ahead of need
    gathered = Gathered(Job(scenario().plan(), 0, (Question("blackhole_s"), Question("flaps"))))
    tracemalloc.start()
    gathered.add(Record(run, (Value(float(run)), None), Rows({}, 0), True) for run in range(100_000))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gathered.runs == 100_000
    assert grown < 2 * 100_000 * 9 * 1.3
