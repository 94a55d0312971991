"""A rollout's progress where people read it: the terminal, the frame, the JSON."""

import pytest
from click import unstyle
from study_worlds import EXACT, scenario

import simbgp
from simbgp.report.progress import progress_lines
from simbgp.report.text import report

UP = {"at": 60, "kind": "agent-upgrade", "to": "1.19", "name": "up", "maxUnavailable": 1, "readyAfter": "20s"}
PLAIN = {"cluster__gracefulRestart__enabled": False, "horizon": "40m"}
"""Without graceful restart a node that is away is no next hop: from SIGTERM until 10 s of start-up and a dial later."""


def rolled(nodes, **changes):
    return simbgp.run(scenario(EXACT, cluster__nodes=nodes, faults=[UP | changes], **PLAIN), runs=3, seed=1)


@pytest.fixture(scope="module")
def undone():
    # 1 and 2 are taken at 0 and 20; 3 at 40, and again at 50 by the undo; back go 1 at 70 and 2 at 90; 4 never
    return rolled(4, rollbackAfter="50s")


def test_the_terminal_has_a_line_for_each_node_of_a_few_there_and_back(undone):
    assert [line.split("  ")[1].strip() for line in progress_lines(undone)] == [
        "upgraded by up",
        "0 of 4",
        "1 of 4",
        "2 of 4",
        "1 of 4, rolled back",
        "0 of 4, rolled back",
    ]
    cells = [line.split()[-4:] for line in progress_lines(undone)[1:]]
    assert [row[-2:] for row in cells] == [["3", "3"]] * 5
    assert [row[-4:-2] for row in cells[:-1]] == [["+20", "s"], ["+40", "s"], ["+70", "s"], ["+90", "s"]]
    assert cells[-1][-3] == "horizon"


def test_the_report_holds_the_table_and_tells_the_beginning_first(undone):
    said = unstyle(report(undone))
    assert "least next hops of web" in said
    assert "agent-upgrade of 4 nodes begins" in said


def test_a_line_for_each_tenth_of_many():
    lines = progress_lines(rolled(24, maxUnavailable=2))
    assert [line.split("  ")[1].strip() for line in lines[1:4]] == ["0 to 2 of 24", "3 to 4 of 24", "5 to 7 of 24"]
    assert lines[-1].split()[:3] == ["24", "of", "24"]
    assert all(line.split()[-2:] == ["22", "22"] for line in lines[1:-1])
    assert len(lines) == 12


def test_the_frame_and_the_json_have_the_steps(undone):
    frame = undone.progress
    run = frame[frame.run == 0]
    assert run.upgraded.tolist() == [0, 1, 2, 1, 0]
    assert run.start_s.tolist() == [60.0, 80.0, 100.0, 130.0, 150.0]
    assert run.end_s.tolist() == [80.0, 100.0, 130.0, 150.0, 2400.0]
    assert set(frame.min_next_hops) == {3}
    assert undone.to_dict()["progress"][0] == {
        "run": 0,
        "fault": "up",
        "router": "tor-1",
        "prefix": "192.0.2.10/32",
        "service": "web",
        "upgraded": 0,
        "nodes": 4,
        "start_s": 60.0,
        "end_s": 80.0,
        "min_next_hops": 3,
        "min_sessions": 3,
    }


def test_without_a_rollout_nothing_is_said_of_one():
    result = simbgp.run(scenario(EXACT), runs=1)
    assert "progress" not in result.to_dict()
    assert result.progress.empty
    assert progress_lines(result) == []
