"""Manifests are read by the json module, by libyaml or by ruamel.yaml: data, places and words are the same."""

import json
import time

import pytest

from benchmarks.fuzz import inputs
from simbgp.scenario import ScenarioError, libyaml, load
from simbgp.scenario.documents import read_many
from simbgp.scenario.errors import Problem
from simbgp.scenario.importing import import_objects
from simbgp.scenario.libyaml import Bulk, OddError
from simbgp.scenario.limits import IMPORTED, MANIFESTS, MAX_VALUES, Allowance, Most
from simbgp.scenario.yaml_tree import read_documents

SCENARIO = """\
cluster: {manifests: ["*.yaml"]}
routers: [{name: tor-1, profile: frr-8.4, asn: 65000}]
"""


def node(number: int) -> dict[str, object]:
    """26 values and keys: 2 x 4 of the object, 2 x 2 of metadata, 2 x 2 of labels, 2 of spec, 2 of status, and 6."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"n{number}", "labels": {"rack": f"r{number // 40}", "bgp": "on"}},
        "spec": {"podCIDR": f"10.{number // 256}.{number % 256}.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": f"192.168.{number // 250}.{number % 250 + 1}"}]},
    }


def both(text: str) -> bool:
    """libyaml has what ruamel.yaml has, or leaves it to it; whether it took it."""
    try:
        fast = list(Bulk(text, "f", Allowance(IMPORTED)).documents())
    except OddError:
        return False
    slow = read_documents(text, "f")
    assert repr([data for data, _ in fast]) == repr([tree.data for tree in slow])
    for (_, places), tree in zip(fast, slow, strict=True):
        assert dict(places) == tree.places
    return True


@pytest.mark.parametrize("part", range(5))
def test_libyaml_and_ruamel_agree_on_everything_that_libyaml_takes(part: int) -> None:
    texts = [inputs.text("manifests", number) for number in range(part * 60, part * 60 + 60)]
    plain = [text for text in texts if not any(sign in text for sign in "\ufeff\x85\u2028\u2029\t")]
    assert sum(map(both, plain)) > 20  # of about 57; the rest is broken, or has anchors and tags


@pytest.mark.parametrize("text", inputs.corpus("manifests"))
def test_they_agree_on_every_manifest_that_is_shipped(text: str) -> None:
    assert both(text)


def test_a_number_a_null_and_an_empty_value_have_the_place_and_the_text_that_were_written() -> None:
    text = "a: 1.20\nb:\nc: ~\nd: [0x1f, 'x', true, True]\n"
    (tree,) = read_many(text, "m", Allowance(MANIFESTS))
    assert tree.data == {"a": 1.2, "b": None, "c": None, "d": [31, "x", True, True]}
    assert [tree.text((key,)) for key in "abc"] == ["1.20", "", "~"]
    assert [tree.text(("d", i)) for i in range(4)] == ["0x1f", "x", "true", "True"]
    assert str(tree.problem(("b",), "x")) == "m:2:1: b: x"  # an empty value is where its key is
    assert str(tree.problem(("d", 1), "x")) == "m:4:11: d.1: x"
    assert str(tree.problem(("d", 7, "e"), "x")) == "m:4:4: d.7.e: x"


def test_json_is_read_as_the_json_that_it_is_and_a_fault_in_it_has_its_place() -> None:
    text = json.dumps({"kind": "List", "items": [node(1), {"kind": 7}]}, indent=1)
    (tree,) = read_many(text, "m", Allowance(MANIFESTS))
    assert tree.data == json.loads(text)
    (plain,) = read_documents(text, "m")
    assert dict(tree.places) == plain.places


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": "\\ud83d"}',
        '{"a": ' + "9" * 500 + "}",
        '{"a": 1} {"b": 2}',
        '{"a": ' + "[" * 120 + "]" * 120 + "}",
        '{"a"',
        "[1, 2",
    ],
)
def test_what_is_no_json_is_told_as_ever(text: str) -> None:
    told = []
    for read in (lambda: read_many(text, "m", Allowance(MANIFESTS)), lambda: read_documents(text, "m")):
        try:
            told.append(repr([tree.data for tree in read()]))
        except ScenarioError as error:
            told.append(str(error))
    assert told[0] == told[1]


@pytest.mark.parametrize(("pairs", "left"), [(2, 0), (3, None)])
def test_values_are_counted_over_all_files(pairs: int, left: int | None) -> None:
    """Each document is a mapping, a key and a value: 3. Six values are allowed."""
    allowance = Allowance(Most(100, 6, "take less"))
    for _ in range(pairs - 1):
        read_many("a: 1", "m", allowance)
    if left is None:
        with pytest.raises(ScenarioError) as caught:
            read_many("a: 1", "m", allowance)
        assert str(caught.value) == "m:1:1: too many values; allowed: 6 in all manifests; take less"
    else:
        read_many("a: 1", "m", allowance)
        assert allowance.left == left


def test_three_values_of_json_count_as_one() -> None:
    allowance = Allowance(Most(100, 10, ""))
    read_many('{"a": [1, 2, 3, 4]}', "m", allowance)  # 1 + 2 + 4
    assert allowance.left == 10 - 7 // 3


def many(count: int, last: str) -> str:
    return "kind: List\nitems:\n" + "- {kind: X}\n" * count + last


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ("a: 1\na: 2\n", "a.yaml:11004:1: a: duplicate key; the first one is in line 11003"),
        ("a: [\n", "a.yaml:11004:1: not YAML: while parsing a flow node, did not find expected node content"),
        ("a: &x 1\n", "a.yaml:11003:4: a: anchors, aliases and tags are read in a small file alone"),
        ("a: *x\n", "a.yaml:11003:4: a: anchors, aliases and tags are read in a small file alone"),
        ("a: " + "9" * 500, "a.yaml:11003:4: a: a number of 500 digits; allowed: at most 400"),
        ("a: " + "[" * 101 + "]" * 101, "a.yaml:11003:103: a.0.0: nested too deep; allowed: 100 levels"),
        ("? [a]\n: b\n", "a.yaml:11003:3: items: a key must be text"),
    ],
)
def test_a_fault_at_the_end_of_a_large_file_is_told_within_5_s(last: str, said: str) -> None:
    """11 000 mappings of 3 values are more than the 30 000 that ruamel.yaml reads in 3 s."""
    assert MAX_VALUES < 11_000 * 3
    began = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        read_many(many(11_000, last), "a.yaml", Allowance(MANIFESTS))
    assert time.process_time() - began < 5
    assert str(caught.value).startswith(said)


def test_a_dense_file_of_200_kb_is_read_within_5_s(tmp_path) -> None:
    (tmp_path / "m.yaml").write_text("[" + "[1,2,3,4]," * 20_000 + "]")
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("*.yaml", "m.yaml"))
    began = time.process_time()
    with pytest.raises(ScenarioError, match="not a Kubernetes object: it has no kind"):
        load(tmp_path / "s.yaml")
    assert time.process_time() - began < 5


def test_files_are_counted_together_and_what_to_do_is_said(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("simbgp.scenario.manifests.MANIFESTS", Most(1000, 10**6, "import it"))
    (tmp_path / "s.scenario").write_text(SCENARIO)
    for name, size in (("a", 600), ("b", 400), ("c", 1)):
        (tmp_path / f"{name}.yaml").write_text("#" * size)
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.scenario")
    told = str(caught.value)
    assert (
        f"{tmp_path}/c.yaml:1:1: the files up to this one are too big together; allowed: 1000 bytes; import it" in told
    )
    (tmp_path / "a.yaml").write_text("#" * 1001)
    with pytest.raises(ScenarioError, match=r"a\.yaml:1:1: the file is too big; allowed: 1000 bytes; import it"):
        load(tmp_path / "s.scenario")


def test_a_pyyaml_without_libyaml_is_read_without_it(monkeypatch) -> None:
    monkeypatch.setattr(libyaml, "CSafeLoader", None)
    (tree,) = read_many("a: [1]", "m", Allowance(MANIFESTS))
    assert tree.data == {"a": [1]}
    with pytest.raises(ScenarioError, match="allowed: 1000000 bytes and 30000 values"):
        read_many("[" + "a, " * 40_000 + "]", "m", Allowance(MANIFESTS))


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_imported_is_read_as_it_was_meant(as_json: bool) -> None:
    """Words that YAML 1.1 and 1.2 read differently: 1e3 is text in one and a number in the other."""
    labels = {
        f"k{i}": word for i, word in enumerate(("1e3", "no", "on", "0o17", "017", "1:30", "~", "", "1_0", "x", "."))
    }
    one = {**node(1), "metadata": {"name": "n1", "labels": labels}}
    text = import_objects({"m": json.dumps(one)}, as_json=as_json).text
    (tree,) = read_many(text, "m", Allowance(MANIFESTS))
    assert tree.data["items"][0]["metadata"]["labels"] == labels
    assert read_documents(text, "m")[0].data == tree.data


def test_thousands_of_nodes_are_loaded_from_what_was_imported(tmp_path) -> None:
    dump = json.dumps({"apiVersion": "v1", "kind": "List", "items": [node(i) for i in range(3000)]})
    (tmp_path / "cluster.json").write_text(import_objects({"m": dump}, as_json=True).text)
    (tmp_path / "s.yaml").write_text(SCENARIO.replace('manifests: ["*.yaml"]', "from: cluster.json"))
    began = time.process_time()
    scenario = load(tmp_path / "s.yaml")
    assert len(scenario.plan().nodes) == 3000
    assert time.process_time() - began < 5


def test_a_problem_knows_its_place_in_a_large_file() -> None:
    items = [node(i) for i in range(3000)]
    items[2999]["spec"] = {"podCIDR": "10.0.0.0/33"}
    text = json.dumps({"kind": "List", "items": items})
    from simbgp.scenario.manifests import objects_of

    (problem,) = objects_of({"m.json": text}).problems
    assert isinstance(problem, Problem)
    assert text[problem.column - 1 :].startswith('"10.0.0.0/33"')
    assert problem.path == "items.2999.spec.podCIDR"


def test_paths_of_objects_are_counted_session_by_session(tmp_path, monkeypatch) -> None:
    """Three nodes with a PodCIDR each, one peer: the third session is the third path."""
    objects = [
        {
            "kind": "CiliumBGPClusterConfig",
            "metadata": {"name": "bgp"},
            "spec": {
                "bgpInstances": [
                    {
                        "name": "i",
                        "localASN": 65001,
                        "peers": [
                            {
                                "name": "tor",
                                "peerASN": 65000,
                                "peerAddress": "10.0.0.254",
                                "peerConfigRef": {"name": "tor"},
                            }
                        ],
                    }
                ]
            },
        },
        {
            "kind": "CiliumBGPPeerConfig",
            "metadata": {"name": "tor"},
            "spec": {"families": [{"afi": "ipv4", "safi": "unicast", "advertisements": {"matchLabels": {"a": "b"}}}]},
        },
        {
            "kind": "CiliumBGPAdvertisement",
            "metadata": {"name": "pods", "labels": {"a": "b"}},
            "spec": {"advertisements": [{"advertisementType": "PodCIDR"}]},
        },
    ]
    items = [node(i) for i in range(3)] + [{"apiVersion": "cilium.io/v2", **each} for each in objects]
    (tmp_path / "m.json").write_text(json.dumps({"kind": "List", "items": items}))
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("*.yaml", "m.json"))
    monkeypatch.setattr("simbgp.scenario.peer_sessions.MAX_PATHS", 3)
    assert len(load(tmp_path / "s.yaml").plan().peerings) == 3
    monkeypatch.setattr("simbgp.scenario.peer_sessions.MAX_PATHS", 2)
    with pytest.raises(ScenarioError, match="the sessions up to that of n2 carry 3 paths; allowed: 2 in all"):
        load(tmp_path / "s.yaml")


def test_nodes_of_manifests_are_counted_like_those_that_are_written(tmp_path, monkeypatch) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"kind": "List", "items": [node(i) for i in range(3)]}))
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("*.yaml", "m.json"))
    monkeypatch.setattr("simbgp.scenario.checks.cluster.MOST_NODES", 3)
    assert len(load(tmp_path / "s.yaml").plan().nodes) == 3
    monkeypatch.setattr("simbgp.scenario.checks.cluster.MOST_NODES", 2)
    with pytest.raises(ScenarioError, match="cluster: 3 nodes are too many; allowed: 2 in all"):
        load(tmp_path / "s.yaml")
