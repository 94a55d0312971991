from pathlib import Path

import pytest

from simbgp.scenario import Problem, ScenarioError, load

BROKEN = sorted((Path(__file__).parent / "data" / "broken").glob("*.yaml"))


def test_there_are_broken_files_of_more_than_25_kinds() -> None:
    assert len(BROKEN) >= 25


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_tells_file_place_path_and_what_is_wrong(path: Path) -> None:
    expected = path.read_text("utf-8").splitlines()[0].removeprefix("# expect: ")
    place, told = expected.split(" ", 1)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).splitlines()[0].startswith(f"{path}:{place}: {told.removeprefix(': ')}")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_tells_what_is_allowed_or_where_the_first_one_is(path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(path)
    for problem in caught.value.problems:
        known = (
            "allowed: ",
            "supported: ",
            "not YAML: ",
            "quote it: ",
            "give two of",
            "takes [",
            "names no ",
            "no file ",
        )
        assert any(words in problem.message for words in known) or "the first one is in line" in problem.message


def test_a_problem_reads_as_file_line_column_path_and_message() -> None:
    assert str(Problem("a.yaml", 3, 7, "cluster.nodes", "wrong")) == "a.yaml:3:7: cluster.nodes: wrong"
    assert str(Problem("a.yaml", 3, 7, "", "not YAML")) == "a.yaml:3:7: not YAML"


def test_an_error_holds_each_problem_once_and_prints_a_line_for_each() -> None:
    one, two = Problem("a", 1, 1, "x", "m"), Problem("a", 2, 1, "y", "m")
    error = ScenarioError([one, two, one])
    assert error.problems == (one, two)
    assert str(error) == "a:1:1: x: m\na:2:1: y: m"
