"""What is too much is refused in a line that says what is allowed, and soon; the limits of docs/trust.md."""

import time

import pytest
from cli_runs import cli

from simbgp.scenario import ScenarioError, loads
from simbgp.scenario.errors import Problem
from simbgp.scenario.printable import printable

BASE = """\
cluster: {nodes: 3}
routers: [{name: tor-1, profile: frr-8.4}]
services: [{name: web, vip: 192.0.2.10, backends: 4}]
traffic: [{service: web, connections: 100, lifetime: 30s}]
faults: [{at: 60s, kind: agent-crash, node: worker-1, downFor: 20s}]
"""
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
TOO_MUCH = {
    "10 to the 12th aliases": (LAUGHS, "aliases stand for too much; allowed: 10000 values, 100 levels"),
    "an alias within its own anchor": ("&a [*a]", "aliases stand for too much; allowed: 10000 values, 100 levels"),
    "deep lists": ("[" * 100_000, "nested too deep; allowed: 100 levels"),
    "deep mappings": ("{a: " * 100_000, "nested too deep; allowed: 100 levels"),
    "many values": ("[" + "a, " * 30_000 + "]", "too many values; allowed: 30000 in a file"),
    "many values deep down": (
        f"[{('[' * 90 + '1' + ']' * 90 + ', ') * 200}]",
        "too many values nested too deep; allowed: 600000 for the levels of all values together",
    ),
    "a file of 1 MB": ("#" * 1_000_001, "the file is too big; allowed: 1000000 bytes"),
    "a number of 900 000 digits": (BASE.replace("nodes: 3", "nodes: " + "9" * 900_000), "allowed: at most 400"),
    "a number of 400 digits": (BASE.replace("nodes: 3", "nodes: " + "9" * 400), "allowed: an integer from 1 to 25000"),
    "hexadecimal": (BASE.replace("nodes: 3", "nodes: 0x" + "f" * 500), "allowed: at most 400"),
    "a million nodes": (BASE.replace("nodes: 3", "nodes: 1000000"), "allowed: an integer from 1 to 25000"),
    "a million nodes in racks": (
        BASE.replace("nodes: 3", "racks: {count: 1000, nodes: 1000, routers: 2}"),
        "1000000 nodes are too many; allowed: 25000 in all",
    ),
    "a million names": (BASE.replace("worker-1", '"worker-[1-999999]"'), "too long a range; allowed: 100000 names"),
    "ranges of ranges": (
        BASE.replace("worker-1", '"w[1-999][1-999][1-999]"'),
        "too long a range; allowed: 100000 names",
    ),
    "sessions": (
        BASE.replace("nodes: 3", "nodes: 9999").replace(
            "[{name", "[" + "".join(f"{{name: r{i}, profile: frr-8.4}}, " for i in range(20)) + "{name"
        ),
        "209979 sessions; allowed: 100000",
    ),
    "paths": (
        BASE.replace("nodes: 3", "nodes: 25000").replace(
            "backends: 4}",
            "backends: 1}" + "".join(f", {{name: s{i}, vip: 192.0.2.{i + 11}, backends: 1}}" for i in range(80)),
        ),
        "25000 sessions that carry 81 prefixes of services are 2025000 paths; allowed: 2000000 in all",
    ),
    "backends": (
        BASE.replace("backends: 4}", "backends: 100000}, {name: b, vip: 192.0.2.11, backends: 1}"),
        "100001 backends in all; allowed: 100000",
    ),
    "connections": (BASE.replace("100,", "900000000,"), "allowed: 1e+08: shorten the horizon"),
    "not a number": (BASE.replace("60s", ".nan"), "nan is not a duration; allowed: a finite number of seconds"),
    "infinity": (BASE.replace("60s", ".inf"), "inf is not a duration; allowed: a finite number of seconds"),
    "a huge exponent": (BASE.replace("60s", "1e999"), "inf is not a duration; allowed: a finite number of seconds"),
    "a negative one": (BASE.replace("60s", "-0.5"), "-0.5 is not a duration; allowed: a finite number of seconds"),
    "more than a double holds": (BASE.replace("60s", "1" + "0" * 399), "is not a duration; allowed: a finite number"),
    "more than a century": (BASE.replace("60s", "876601h"), "is too long; allowed: durations up to 100 years"),
    "less than a microsecond": ("horizon: 1e-9\n" + BASE, "is too short; allowed: durations above 0"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_what_is_too_much_is_refused_in_a_line_within_5_s(case: str) -> None:
    text, said = TOO_MUCH[case]
    began = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        loads(text, "x.yaml")
    assert time.process_time() - began < 5
    assert said in str(caught.value)
    assert all(len(line) < 5_000 for line in str(caught.value).splitlines())


def test_as_much_as_is_allowed_is_taken() -> None:
    assert len(loads(BASE.replace("nodes: 3", "nodes: 25000")).plan().nodes) == 25_000
    values = 30_000 - 41 - 1  # those of BASE, and the list itself
    with pytest.raises(ScenarioError, match="unknown key 'x'"):
        loads(BASE + "x: [" + "a, " * (values - 1) + "]")


def test_a_message_is_a_line_of_what_can_be_printed() -> None:
    problem = Problem("a\x1b]0;b\x07.yaml", 1, 1, "clus\x1b[2Jter", "two\nlines \u202e\x9b1m " + "x" * 9_000)
    text = str(problem)
    assert text.startswith(r"a\x1b]0;b\x07.yaml:1:1: clus\x1b[2Jter: two\nlines \u202e\x9b1m xxx")
    assert text.endswith("x... (5015 more)")
    assert text.isprintable()


def test_printable_keeps_words_of_every_script_and_what_it_is_told_to() -> None:
    assert printable("größe 大小 👍") == "größe 大小 👍"
    assert printable("a\n\tb\x00", keep="\n\t") == "a\n\tb\\x00"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('name: "a\\e]0;x\\a"\n', "name: 'a\\\\x1b]0;x\\\\x07' has signs that cannot be printed"),
        ('description: "a\\u202eb"\n', "description: there are signs that cannot be printed"),
        ('"\\e[2J": 1\n', "unknown key '\\x1b[2J'"),
    ],
)
def test_a_scenario_that_would_write_to_the_terminal_is_refused(tmp_path, written: str, said: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(written + BASE)
    done = cli("run", str(file))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
