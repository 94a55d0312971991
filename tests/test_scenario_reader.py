import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_texts import SMALL, small

from simbgp.scenario import Scenario, ScenarioError, init, json_schema, load, loads
from simbgp.scenario.scalars import scalar_value
from simbgp.scenario.yaml_tree import read_documents

KINDS = ["agent-crash", "agent-restart", "node-down", "link-loss", "peer-shutdown", "unlabel"]
SHIPPED = sorted((Path(__file__).parent.parent / "scenarios").glob("*.yaml"))


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "a.yaml", overrides=overrides)
    return str(caught.value).splitlines()


def satisfies_json_schema(data: dict) -> bool:
    jsonschema = pytest.importorskip("jsonschema")
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(data))


@pytest.mark.parametrize("kind", KINDS)
def test_each_example_loads_and_satisfies_the_json_schema(kind: str) -> None:
    scenario = loads(init(kind), f"{kind}.yaml")
    assert scenario.plan().faults[0].kind == kind
    told = [warning.split(": ")[1] for warning in scenario.warnings]
    assert told == (["cluster.gracefulRestart.restartTimeSeconds"] if kind == "node-down" else [])
    assert satisfies_json_schema(scenario.data)


def test_an_example_of_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="agent-crash, agent-restart, node-down"):
        init("meteor")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_load_and_are_named_after_their_file(path: Path) -> None:
    scenario = load(path)
    assert satisfies_json_schema(scenario.data)
    assert scenario.file == str(path)


def test_json_is_yaml() -> None:
    data = {"name": "j", "cluster": {"nodes": 2}, "routers": [{"name": "tor-1", "profile": "frr-8.4"}]}
    assert loads(json.dumps(data, indent=1)).data == data


def test_json_characters_beyond_the_basic_plane_are_whole() -> None:
    text = json.dumps({**small().data, "description": "outage 🙂"})  # writes 🙂 as \ud83d\ude42
    assert loads(text).description == "outage 🙂"


@pytest.mark.parametrize(
    ("text", "value"),
    [  # YAML 1.2.2 §10.3.2
        ("null", None), ("~", None), ("", None), ("true", True), ("False", False), ("yes", "yes"), ("off", "off"),
        ("0o17", 15), ("0x1F", 31), ("017", 17), ("-12", -12), ("1.20", 1.2), (".5", 0.5), ("1e3", 1000.0),
        ("1_000", "1_000"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_the_yaml_1_2_core_schema(text: str, value: object) -> None:
    assert scalar_value(text) == value
    assert type(scalar_value(text)) is type(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)))
def test_whatever_json_can_say_is_read_as_json_means_it(value: object) -> None:
    (tree,) = read_documents(json.dumps({"a": value}), "a.json")
    assert tree.data == {"a": value}


def test_a_file_of_sixty_lines_is_read_in_a_fifth_of_a_second() -> None:
    text = SMALL + "faults:\n" + "".join(f"  - {{at: {i}s, kind: unlabel, node: worker-1}}\n" for i in range(54))
    began = time.process_time()
    loads(text)
    assert time.process_time() - began < 0.2


def test_every_fault_of_a_file_is_told_in_one_go_in_its_order() -> None:
    text = SMALL.replace("nodes: 4", "nodes: 4\n  timers: {holdTimeSeconds: 2}") + (
        "faults:\n"
        "  - {at: 60s, kind: node-down, node: worker-9}\n"
        "  - {at: 1x, kind: node-down, node: worker-1}\n"
        "slo:\n"
        "  - {metric: blackhole, stat: p99, max: 1s}\n"
    )
    assert [line.split(" ")[0] for line in problems(text)] == [
        "a.yaml:5:29:",
        "a.yaml:9:38:",
        "a.yaml:10:10:",
        "a.yaml:12:14:",
    ]


def test_aliases_are_read_and_a_bomb_of_them_is_refused() -> None:
    fine = SMALL + "faults:\n  - &f {at: 1s, kind: unlabel, node: worker-1}\n  - *f\n"
    assert len(loads(fine).plan().faults) == 2
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in ["ab", "bc", "cd", "de", "ef"])
    assert "aliases stand for too much; allowed: 10000 values" in problems(bomb)[0]
    assert "aliases stand for too much" in problems("a: &a [*a, *a]")[0]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "a.yaml:1:1: an empty file"),
        ("# nothing\n", "a.yaml:1:1: an empty file"),
        (SMALL + "---\n" + SMALL, "a.yaml:1:1: 2 YAML documents"),
        ("- 1\n", "a.yaml:1:1: a list is not allowed here"),
        ("[" * 5000, "a.yaml:1:102: 0.0.0: nested too deep; allowed: 100 levels"),
        ("name: '\0'", "a.yaml:1:1: not YAML: unacceptable character #x0000"),
        ('name: "\\ud83d"', "a.yaml:1:7: name: half of a UTF-16 surrogate pair"),
        ("cluster: {? [a] : b}", "a.yaml:1:13: cluster: a key must be text"),
        ("horizon: " + "9" * 500, "a.yaml:1:10: horizon: a number of 500 digits; allowed: at most 400"),
        ("x" * 1_000_001, "a.yaml:1:1: the file is too big; allowed: 1000000 bytes"),
    ],
)
def test_what_is_hardly_a_scenario_has_its_place_and_its_reason(text: str, start: str) -> None:
    assert problems(text)[0].startswith(start)


def test_a_file_that_is_not_there_or_not_text_is_a_problem_of_line_one(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    for name, what in (
        ("no.yaml", "cannot be read: No such file"),
        ("latin.yaml", "not UTF-8"),
        ("", "Is a directory"),
    ):
        with pytest.raises(ScenarioError, match=f":1:1: .*{what}"):
            load(tmp_path / name)


@given(st.text(alphabet="{}[]:,-&*!|>'\"#%@ \n\tab1.~\\", max_size=40))
def test_no_text_gives_anything_but_a_scenario_or_its_problems(noise: str) -> None:
    with pytest.raises(ScenarioError):
        loads(SMALL + noise + "\n: ]")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("cluster.timers.holdTimeSeconds=9", ["cluster", "timers", "holdTimeSeconds"], 9),
        ("routers.0.ecmp.hash=modulo", ["routers", 0, "ecmp", "hash"], "modulo"),
        ("cluster.cilium=1.18", ["cluster", "cilium"], "1.18"),
        ("cluster.startup.agent={uniform: [8s, 15s]}", ["cluster", "startup", "agent", "uniform", 1], "15s"),
        ("cluster.nodes=[{name: a}]", ["cluster", "nodes", 0, "name"], "a"),
        ("cluster.racks=", ["cluster", "racks"], None),
    ],
)
def test_set_changes_one_value_and_makes_the_mappings_on_its_way(override: str, path: list, value: object) -> None:
    found = small("", override).data
    for part in path:
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "cluster.timer.x=1",
            "--set:1:1: cluster.timer: unknown key 'timer'; did you mean 'timers'?; allowed: cilium, ",
        ),
        ("routers.1.asn=1", "--set:1:1: routers.1: no such place in the list; allowed: 0 to 0"),
        ("cluster.nodes.0.name=a", "--set:1:1: cluster.nodes: 4 has nothing below it; set it whole"),
        ("cluster.nodes=0", "--set:1:1: cluster.nodes: 0 is not allowed here; allowed: an integer from 1 to 25000"),
        ("cluster.nodes", "--set:1:1: 'cluster.nodes' is not PATH=VALUE"),
        ("name=[", "--set:1:2: not YAML"),
        ("cluster.timers.keepAliveTimeSeconds=91", "--set:1:1: cluster.timers.keepAliveTimeSeconds: 91 is larger"),
    ],
)
def test_a_wrong_set_is_told_as_such(override: str, message: str) -> None:
    assert problems(SMALL, override)[0].startswith(message)


def test_a_hold_time_that_is_set_takes_the_keepalive_of_the_file_along() -> None:
    text = SMALL.replace("nodes: 4", "nodes: 4\n  timers: {holdTimeSeconds: 90, keepAliveTimeSeconds: 30}")
    set_low = loads(text, overrides=["cluster.timers.holdTimeSeconds=9"])
    assert set_low.plan().peerings[0].keepalive_s == 3  # 9 / 3
    assert set_low.warnings[0].startswith("timers: keepAliveTimeSeconds 30 lowered to 3")
    both = ["cluster.timers.keepAliveTimeSeconds=30", "cluster.timers.holdTimeSeconds=9"]
    assert "30 is larger than holdTimeSeconds 9" in problems(text, *both)[0]


def test_with_gives_another_scenario_and_leaves_the_first() -> None:
    before = small()
    after = before.with_(**{"cluster.timers.holdTimeSeconds": 9, "cluster.nodes": 3})
    assert (after.plan().peerings[0].hold_s, len(after.plan().nodes)) == (9, 3)
    assert (before.plan().peerings[0].hold_s, len(before.plan().nodes)) == (90, 4)
    with pytest.raises(ScenarioError, match=r"with_\(\):1:1: cluster.nodes: 0 is not allowed"):
        before.with_(**{"cluster.nodes": 0})


def test_the_data_of_a_scenario_is_a_copy_and_its_file_names_it() -> None:
    scenario = loads(SMALL.replace("name: small\n", ""), "folder/quiet-night.yaml")
    scenario.data["cluster"]["nodes"] = 9
    assert scenario.data["cluster"]["nodes"] == 4
    assert scenario.name == "quiet-night"


def test_the_hash_is_of_what_is_said_not_how() -> None:
    said = small()
    flow = loads('{routers: [{profile: frr-8.4, name: tor-1}], cluster: {nodes: 4, cilium: "1.20"}, name: small} # hi')
    assert said.hash == flow.hash
    assert said.hash != small("", "cluster.nodes=5").hash
    assert len(said.hash) == 64


def test_a_scenario_and_its_errors_travel_between_processes() -> None:
    scenario: Scenario = pickle.loads(pickle.dumps(small()))
    assert scenario.plan() == small().plan()
    with pytest.raises(ScenarioError) as caught:
        small("", "cluster.nodes=0")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_plan_and_hash_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from simbgp.scenario import *; s = loads(init('agent-crash')); print(s.hash, draw(s.plan(), 1, 0).occurrences)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent.parent)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(outputs) == 1


def test_the_json_schema_is_one_and_refuses_what_the_reader_refuses() -> None:
    schema = json_schema()
    pytest.importorskip("jsonschema").Draft202012Validator.check_schema(schema)
    assert {"$id", "title", "description"} <= schema.keys()
    for change in ({"cluster": {"nodes": 0}}, {"horizon": "10"}, {"faults": [{"kind": "x", "at": 1}]}, {"name": 7}):
        assert not satisfies_json_schema(small().data | change)


@pytest.mark.parametrize(("most", "fits"), [(13, True), (12, False)])
def test_the_levels_of_all_values_are_counted(most: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list stands at 0, its three at 1; in the third a list at 2 and in that one at 3 with a 1 at 4, and a 1 at 1.

    0 + 1 + 1 + 1 + 2 + 3 + 4 + 1 = 13."""
    monkeypatch.setattr("simbgp.scenario.yaml_tree.MAX_LEVELS", most)
    if fits:
        assert read_documents("[1, 1, [[[1]]], 1]", "a.yaml")[0].data == [1, 1, [[[1]]], 1]
        return
    with pytest.raises(ScenarioError, match=r"a\.yaml:1:17: 3: too many values nested too deep; allowed: 12"):
        read_documents("[1, 1, [[[1]]], 1]", "a.yaml")
