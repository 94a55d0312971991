import json

import pytest
from cli_runs import cli
from study_worlds import TEXT

from simbgp.scenario import json_schema

KEYS = ["[10.0.0.1:8080/TCP,State:active]", "[10.0.0.2:8080/TCP,State:active]"]


@pytest.fixture
def file(tmp_path):
    def write(text, name="world.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def test_a_sound_scenario_is_valid(file):
    path = file(TEXT)
    done = cli("validate", path)
    assert done.out == f"{path}: ok: world: 4 nodes, 1 router, 1 service, 1 fault, 0 SLOs\n"
    assert done.code == 0


def test_validate_goes_on_after_a_broken_file(file):
    done = cli("validate", file("nodes: 4\n", "a.yaml"), file(TEXT, "b.yaml"))
    assert done.code == 2
    assert "a.yaml:1:1: " in done.err
    assert "b.yaml: ok" in done.out


def test_the_schema_is_the_scenarios():
    assert json.loads(cli("schema").out) == json_schema()


def test_what_init_prints_can_be_run(file):
    example = cli("init", "agent-crash")
    assert example.out.startswith("# yaml-language-server:")
    assert cli("run", file(example.out), "--runs", "2").code in (0, 4)


def test_init_names_the_kinds_it_knows():
    done = cli("init", "earthquake")
    assert done.code == 2
    assert "agent-crash" in done.err


def test_profiles_are_listed_and_shown_with_sources():
    assert "frr-8.4" in cli("profiles").out
    values = json.loads(cli("profiles", "frr-8.4", "--format", "json").out)["values"]
    assert values["hold_s"] == {
        "value": 180,
        "confidence": "source",
        "source": "FRR bgpd/bgpd.h BGP_DEFAULT_HOLDTIME, traditional defaults",
    }


def test_an_unknown_profile_is_answered_with_those_there_are():
    done = cli("profiles", "frr-1")
    assert done.code == 2
    assert "allowed: " in done.err
    assert "rfc8538" in done.err


def test_a_table_is_that_of_the_library(file):
    from simbgp import maglev_table

    path = file("\n".join([KEYS[0], "", f"{KEYS[1]} 3"]), "keys.txt")
    found = json.loads(cli("table", "--backends", path, "--size", "251", "--format", "json").out)
    assert found["table"] == maglev_table(KEYS, size=251, weights=[1, 3]).tolist()
    assert (found["backends"], found["weights"], found["size"]) == (KEYS, [1, 3], 251)


def test_a_table_in_text_is_a_line_per_slot(file):
    done = cli("table", "--backends", file("\n".join(KEYS), "keys.txt"), "--size", "251")
    assert len(done.out.splitlines()) == 251
    assert done.out.startswith("0 [10.0.0.")
    assert f"{KEYS[0]}: " in done.err


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", "251"),
        ("a b c\n", "251"),
        ("a -1\n", "251"),
        ("a ²\n", "251"),
        ("a\n", "252"),
        ("a\n", "0"),
        ("a 0\n", "251"),
    ],
)
def test_a_table_of_nonsense_is_bad_usage(file, text, size):
    done = cli("table", "--backends", file(text, "keys.txt"), "--size", size)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


def test_a_hash_seed_that_is_no_seed_is_bad_usage(file):
    done = cli("table", "--backends", file("a\n", "keys.txt"), "--size", "251", "--seed-base64", "x")
    assert (done.code, done.out) == (2, "")


def test_a_table_of_a_file_that_is_not_there_is_bad_usage():
    done = cli("table", "--backends", "/no/such/file", "--size", "251")
    assert (done.code, done.out) == (2, "")
    assert "No such file" in done.err


@pytest.mark.parametrize("at", ["75", "75s", "1m15s", "75.0"])
def test_explain_reads_a_moment_in_every_form(file, at):
    done = cli("explain", file(TEXT), "--at", at)
    assert done.code == 0
    assert done.out.startswith("web 192.0.2.10/32 at tor-1, t = 75 s: 43.8 % is lost")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--at", "soon"], "is not a duration"),
        (["--at", "11m"], "after the horizon of 600 s"),
        (["--at", "75", "--service", "wbe"], "allowed: web"),
        ([], "--at"),
    ],
)
def test_explain_says_what_it_does_not_understand(file, arguments, what):
    done = cli("explain", file(TEXT), *arguments)
    assert done.code == 2
    assert what in done.err
