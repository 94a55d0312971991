"""``run --check-determinism``: the same bytes in another order, in other processes, with another hash seed."""

import json

import pytest
from cli_runs import cli
from study_worlds import TEXT, scenario

import simbgp
from simbgp.scenario import loads
from simbgp.study.determinism import differs, first_difference

LUCKY = TEXT + "traffic: [{service: web, connections: 200, lifetime: {exponential: {mean: 60s}}}]\n"


def test_a_study_played_backwards_in_other_processes_is_the_same(tmp_path):
    file = tmp_path / "world.yaml"
    file.write_text(LUCKY)
    done = cli("run", str(file), "--runs", "20", "--format", "json", "--check-determinism")
    assert done.code == 0
    assert done.err.endswith("simbgp: the same bytes when played backwards, in other processes\n")
    assert json.loads(done.out)["runs"] == 20


def test_a_difference_is_an_internal_error_that_names_its_place(tmp_path, monkeypatch):
    file = tmp_path / "world.yaml"
    file.write_text(LUCKY)
    monkeypatch.setattr("simbgp.study.determinism.differs", lambda *_, **__: "windows.3.start_s: 60.1, then 60.2")
    done = cli("run", str(file), "--runs", "2", "--check-determinism", "--quiet")
    assert done.code == 3
    assert done.err.startswith("simbgp: not the same bytes twice: windows.3.start_s: 60.1, then 60.2\n")


def test_a_result_of_another_seed_is_found_out(monkeypatch):
    result = simbgp.run(scenario(LUCKY), runs=3, seed=1)
    monkeypatch.setattr(result, "seed", 2)
    assert differs(result, runs=3) is not None


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a.1.b: 2, then 3"),
        ({"a": [1, 2]}, {"a": [1]}, "a: 2 entries, then 1"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "the order of keys: {'a': 1, 'b': 2}, then {'b': 2, 'a': 1}"),
        ({"a": 1.0}, {"a": 1}, "a: 1.0, then 1"),
    ],
)
def test_the_first_difference_has_a_path(one, other, said):
    assert first_difference(one, other) == said


def test_the_order_of_keys_in_the_file_has_no_meaning():
    document = scenario(LUCKY).data

    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(entry) for entry in value] if isinstance(value, list) else value

    one, other = (loads(json.dumps(data), "world.yaml") for data in (document, turned(document)))
    assert list(one.data) != list(other.data)
    assert one.hash == other.hash
    results = [simbgp.run(each, runs=5).to_dict() for each in (one, other)]
    for result in results:
        result.pop("warnings")  # they name line and column
    assert json.dumps(results[0]) == json.dumps(results[1])
