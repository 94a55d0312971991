"""A scenario may come from a stranger: what it can read, write, run and print."""

import json
import re
from pathlib import Path

import pytest
from cli_runs import cli
from study_worlds import TEXT

import simbgp
from simbgp.scenario import ScenarioError, loads

ROOT = Path(simbgp.__file__).parents[1]
ESC = "\x1b]0;owned\x07"
FRAME = """\
cluster: {nodes: 2, manifests: [%s]}
routers: [{name: tor-1, profile: frr-8.4}]
faults: [{at: 60s, kind: agent-crash, node: all}]
"""
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {type: ClusterIP}\n"
LOG = """\
cluster: {nodes: 2}
routers: [{name: tor-1, profile: frr-8.4}]
failures: {log: {file: %s, since: 2025-01-01, until: 2025-12-31}}
"""


@pytest.fixture
def tree(tmp_path):
    """A scenario's folder beside one with a secret, and links that lead there."""
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "secret.yaml").write_text(SERVICE % "secret")
    (home / "link.yaml").symlink_to(outside / "secret.yaml")
    (home / "folder").symlink_to(outside)
    return tmp_path


def written(tree, pattern, frame=FRAME):
    file = tree / "home" / "x.yaml"
    file.write_text(frame % json.dumps(str(pattern)))
    return file


OUTWARD = ["../outside/secret.yaml", "link.yaml", "folder/secret.yaml", "folder/*.yaml", "f*/secret.yaml", "./../*/s*"]


@pytest.mark.parametrize("pattern", OUTWARD)
@pytest.mark.parametrize("frame", [FRAME, LOG], ids=["manifests", "log"])
def test_no_path_and_no_link_leads_out_of_the_scenarios_folder(tree, pattern, frame):
    with pytest.raises(ScenarioError, match=r"leaves the scenario's folder|leads out of|it is no file"):
        simbgp.load(written(tree, pattern, frame))
    with pytest.raises(ScenarioError, match="leaves the scenario's folder"):
        simbgp.load(written(tree, tree / "outside" / "secret.yaml", frame))


@pytest.mark.parametrize("pattern", OUTWARD)
def test_a_wider_folder_can_be_asked_for(tree, pattern):
    file = written(tree, pattern)
    scenario = simbgp.load(file, root=tree)
    assert any("secret" in text for text in scenario._objects.texts.values())
    assert scenario.with_(**{"cluster.nodes": 3}).plan().nodes[2].name == "worker-3"
    assert cli("--root", str(tree), "validate", str(file)).code == 0
    assert cli("validate", str(file)).code == 2
    with pytest.raises(ScenarioError, match=r"leads out of|leaves"):
        simbgp.load(file, root=tree / "home" if "*" not in pattern else None)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [id]",
        "!!python/name:os.system",
        "!!python/object/new:os.system [id]",
        "!<tag:yaml.org,2002:python/module:os> x",
        "!!binary aGk=",
        "!custom {a: b}",
    ],
)
def test_no_tag_of_a_scenario_makes_anything_but_an_error(text):
    with pytest.raises(ScenarioError, match=r"is not allowed|not YAML|is not allowed here"):
        loads(f"name: {text}\n{TEXT.partition(chr(10))[2]}")


def test_nothing_reads_pickles_or_runs_text_of_a_file():
    """Pickles go between processes that this program started, or to the Dask scheduler that the user named."""
    found = {}
    for file in sorted((ROOT / "simbgp").rglob("*.py")):
        for word in re.findall(
            r"\b(?:pickle\.loads?|marshal|shelve|eval\(|exec\(|shell=True|yaml\.load\()", file.read_text()
        ):
            found.setdefault(word, []).append(file.name)
    # Dask: the job on its way out, and what comes back; here: the job in a worker
    assert found == {"pickle.loads": ["distributed.py", "distributed.py", "local.py"]}


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "a%2fb"])
def test_a_name_of_an_object_is_no_path(tree, name):
    (tree / "home" / "m.yaml").write_text(SERVICE % json.dumps(name))
    with pytest.raises(ScenarioError, match="is no name of an object"):
        simbgp.load(written(tree, "m.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        SERVICE % json.dumps("a" + ESC),
        f"apiVersion: v1\nkind: {json.dumps('Odd' + ESC)}\nmetadata: {{name: x}}\n",
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\nspec: {{{json.dumps(ESC)}: 1}}\n",
        f"apiVersion: {json.dumps(ESC)}\nkind: Service\nmetadata: {{name: x}}\n",
    ],
)
def test_a_manifest_writes_no_escapes_to_the_terminal(tree, text):
    (tree / "home" / "m.yaml").write_text(text)
    for arguments in (["validate"], ["run", "--runs", "1"], ["explain", "--at", "70"]):
        done = cli(*arguments, str(written(tree, "m.yaml")))
        assert not set("\x1b\x07") & set(done.out + done.err)


def test_a_dump_and_a_files_own_name_write_no_escapes_to_the_terminal(tree):
    dump = tree / "dump.json"
    dump.write_text(json.dumps({"n1" + ESC: [{"peer-address": ESC, "session-state": ESC}]}))
    done = cli("show", "peers", "--from", str(dump))
    assert (done.code, "\x1b" in done.out, "\\x1b]0;owned" in done.out) == (0, False, True)
    for text in (TEXT.partition("\n")[2], "name: ["):
        file = tree / f"a{ESC}.yaml"
        file.write_text(text)
        done = cli("run", str(file), "--runs", "1")
        assert "\x1b" not in done.out + done.err
    assert "\x1b" not in cli("validate", str(file)).err


def test_names_are_text_in_html_and_markdown(tree):
    hostile = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
    file, page, summary = tree / "x.yaml", tree / "x.html", tree / "x.md"
    file.write_text(
        f"description: {json.dumps(hostile)}\n"
        + TEXT.replace("name: world", f"name: {json.dumps(hostile)}").replace(
            "description: Four nodes and a router.\n", ""
        )
    )
    assert cli("run", str(file), "--runs", "1", "--report", str(page), "--summary", str(summary), "--quiet").code == 0
    assert "alert(1)</script>" not in page.read_text()
    assert "<img src=x" not in page.read_text()
    assert "<script" not in summary.read_text()


def test_a_study_writes_beneath_its_folder_alone(tree):
    file = tree / "home" / "x.yaml"
    file.write_text(TEXT.replace("name: world", 'name: "../../world"'))
    before = {path for path in tree.rglob("*") if "study" not in path.parts}
    assert cli("run", str(file), "--runs", "2", "--to", str(tree / "study"), "--quiet").code == 0
    assert {path for path in tree.rglob("*") if "study" not in path.parts} == before
