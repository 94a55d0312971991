import pytest

from simbgp.timeline import FaultBegan, FaultLog, Start, Timeline


def clock(*faults):
    timeline = Timeline(Start(), 100)
    for fault in faults:
        timeline.write(fault)
    return FaultLog(timeline)


@pytest.mark.parametrize(
    ("nodes", "routers", "touched"),
    [
        (("n1",), (), True),
        (("n2",), (), False),
        ((), ("r1",), True),
        ((), ("r2",), False),
        (("n1",), ("r1",), True),
        (("n1",), ("r2",), False),
        (("n2",), ("r1",), False),
        ((), (), False),
    ],
)
def test_a_fault_touches_a_session_by_all_that_it_names(nodes, routers, touched):
    found = clock(FaultBegan(10, 0, "kind", nodes, routers)).latest(20, "r1", "n1")
    assert (found is not None) == touched


def test_a_row_counts_from_the_latest_fault_at_or_before_it():
    faults = clock(FaultBegan(10, "a", "", ("n1",), ()), FaultBegan(30, "b", "", ("n1",), ()))
    assert faults.latest(9, "r1", "n1") is None
    assert [faults.since_us(time_us, "r1", "n1") for time_us in (10, 29, 30, 31)] == [0, 19, 0, 1]
    assert faults.latest(30, "r1", "n1").fault == "b"


def test_faults_elsewhere_do_not_reset_the_count():
    faults = clock(FaultBegan(10, "a", "", ("n1",), ()), FaultBegan(30, "b", "", ("n2",), ()))
    assert faults.since_us(40, "r1", "n1") == 30
    assert faults.next_after(10, "r1", "n1") is None
