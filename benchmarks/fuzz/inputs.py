"""Inputs of every kind, each a function of its number alone: what is found once is found again.

A text is a shipped file with some of its values, keys or bytes replaced, or a heap of YAML's own signs.
"""

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from simbgp.scenario import ScenarioError
from simbgp.scenario.schema import Document
from simbgp.scenario.schema_of_files import schema_of
from simbgp.scenario.yaml_tree import read_documents

ROOT = Path(__file__).parents[2]
_LARGEST = 20_000
_LONGEST_PART = 1_000
RAW = (
    "", "~", "null", "true", "no", "0", "-0", "-1", "1", "2", "3", "254", "65535", "65536", "100000", "1000000",
    "4294967295", "4294967296", "99999999999999999999", "-9223372036854775809", "9" * 399, "9" * 5000,
    "0x" + "f" * 300, "0x" + "f" * 5000, "0o7777777777", "1e3", "1e999", "-1e999", "1e-999", "1e308", "5e-324", ".5",
    "1.", ".nan", ".inf", "-.inf", "NaN", "Infinity", "1_000", "1:30", "2026-01-01", "'90'", '"90s"', "90s", "-5s",
    "1h30m", "1e3s", "0s", "1us", "0.0000001s", "876600h", "9999999999h", "9" * 400 + "s", "1s1s", "s", "%", "100%",
    "101%", "-1%", "0.0001%", "1/s", "1e9/s", "0/s", "1/0", "{uniform: [1s, 2s]}", "{uniform: [2s, 1s]}",
    "{uniform: []}", "{normal: {mean: 1s, sd: 99h}}", "{lognormal: {median: 1us, p99: 876600h}}",
    "{lognormal: {median: 0, p99: 0}}", "{exponential: {mean: 876600h}}", "{exponential: {mean: 0}}",
    "{empirical: [1s]}", "{choice: [1s, .inf]}", "[]", "{}", "[[]]", "[{}]", "{'': ''}", "all", "worker-[1-999999]",
    "worker-[1-9][1-99999]", "w[1-999999][1-999999][1-999999]", "[worker-1, worker-1]", "{random: 1}",
    "{random: 100000}", "{matchLabels: {}}", "{matchLabels: {a: b}}", "worker-1", "worker-2", "tor-1", "web",
    "default/web", "a/b/c", "0.0.0.0", "255.255.255.255", "192.0.2.10", "10.0.0.1", "::", "::1", "fe80::1%eth0",
    "2001:db8::10", "0.0.0.0/0", "::/0", "10.244.0.0/8", "10.244.1.1/24", "1.2.3.4/33", "1.2.3.4/-1",
    "../../etc/passwd", "/etc/passwd", "**/*", "*.yaml", "[", "]", "{", "}", "'", '"', "&a [*a]", "*a", "&a {b: *a}",
    "!!python/name:os.system", "!!python/object/apply:os.system [id]", "!!binary aGk=", "!!set {a}", "!x y", "<<: *a",
    "? a : b", "| \n  x", "> \n x", '"\\u001b[31m"', '"\\ud800"', '"\\U0001F600"', '"\\x00"', '"\\u202e"', "\u2028",
    "\ufeff", "\x85", "\t", "a" * 300, "a" * 5000, "[" * 60, "[" * 200 + "]" * 200, "{a: " * 120 + "1" + "}" * 120,
    "[1, " * 90 + "1" + "]" * 90, "---", "...", "--- a\n--- b", "# c", "%YAML 1.1", "%YAML 9.9", "%TAG ! x",
    "frr-8.4", "gobgp-3.10", "1.20", '"1.20"', '"1.18"', "node-down", "agent-crash", "node-drain", "agent-upgrade",
    "link-loss", "stall", "backends-down", "operator-down", "Cluster", "Local", "maglev", "resilient", "p50", "p99.9",
    "blackhole_s", "2026-01-01T00:00:00Z",
)  # fmt: skip
"""What stands for a value, in YAML, or does not."""
JSON = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, 1e308, -1e308, 5e-324, float("nan"), float("inf"), "", "0", "x",
    "::", "10.0.0.1", "::1/129", "AAAA", "gAEC", "QAEBAA==", "====", "/////w==", "wA4A", "\x1b[31m", "\ud800", "<b>",
    "a" * 3000, "established", [], {}, [[]], [{}], [None], {"": None}, {"base64": "QAIE"}, [1, 2, 3],
)  # fmt: skip
"""What stands for a value in JSON."""
_DURATION_SIGNS = "0123456789.:-+eE/%usmhµ _\"'[]{},nN\x00\u0661\u2028"


@cache
def corpus(kind: str) -> tuple[str, ...]:
    """The texts that inputs are made of."""
    patterns = {
        "yaml": ("scenarios/*.yaml", "scenarios/lab/*.yaml", "tests/data/broken/*.yaml"),
        "manifests": ("scenarios/*/*.yaml", "tests/data/manifests/*/*.yaml"),
    }[kind]
    files = sorted(file for pattern in patterns for file in ROOT.glob(pattern))
    return tuple(text for file in files if len(text := file.read_text("utf-8")) <= _LARGEST)


def _parsed(kind: str) -> tuple[tuple[Any, ...], ...]:
    """Each text of the corpus as plain documents."""
    return _documents(corpus(kind))


@cache
def _documents(texts: tuple[str, ...]) -> tuple[tuple[Any, ...], ...]:
    found = []
    for text in texts:
        try:
            found.append(tuple(tree.data for tree in read_documents(text, "corpus")))
        except ScenarioError:
            continue
    return tuple(found)


@cache
def _keys() -> tuple[str, ...]:
    """Every key that a scenario or a manifest knows, and names that are none."""
    known = set(re.findall(r'"([A-Za-z]\w*)": \{', json.dumps(schema_of(Document))))
    written = {key for kind in ("yaml", "manifests") for text in corpus(kind) for key in re.findall(r"(\w+):", text)}
    return (*sorted(known | written), "", "__class__", "a.b", "0", "\x1b]0;x\x07", "<b>")


def text(kind: str, number: int) -> str:
    """The input ``number`` of ``yaml`` or ``manifests``."""
    luck = random.Random(f"{kind}-{number}")
    how = luck.random()
    if how < 0.65:
        return _changed(_parsed(kind), kind, luck)
    if how < 0.9:
        return scratched(luck.choice(corpus(kind)), luck)
    return _heap(luck)


def changed_text(texts: tuple[str, ...], name: str, number: int) -> str:
    """One of some texts of manifests, changed."""
    luck = random.Random(f"{name}-{number}")
    if luck.random() < 0.7:
        return _changed(_documents(texts), "manifests", luck)
    return scratched(luck.choice(texts), luck)


def _changed(parsed: tuple[tuple[Any, ...], ...], kind: str, luck: random.Random) -> str:
    """A file with a few of its values or keys replaced, written as flow YAML."""
    documents = json.loads(json.dumps(luck.choice(parsed)))
    for _ in range(luck.choice((1, 1, 1, 2, 3, 8))):
        document = luck.randrange(len(documents))
        places = list(_places(documents[document]))
        if not places:
            documents[document] = _value(kind, luck)
            continue
        holder, key = luck.choice(places)
        _change(holder, key, kind, luck)
    return "\n---\n".join(_flow(document) for document in documents)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _change(holder: Any, key: Any, kind: str, luck: random.Random) -> None:
    how = luck.random()
    if how < 0.6:
        holder[key] = _value(kind, luck)
    elif how < 0.7:
        del holder[key]
    elif isinstance(holder, dict):
        name = luck.choice(_keys())
        holder[name] = holder.pop(key) if how < 0.8 else _value(kind, luck)
    else:
        holder.append(holder[key] if how < 0.85 else _value(kind, luck))


class _Raw(str):
    """Text that is written as it is."""

    __slots__ = ()


def _value(kind: str, luck: random.Random) -> Any:
    """A sign from the list, a part of some file, or many of one."""
    if luck.random() < 0.05:
        return [_single(kind, luck)] * luck.choice((2, 17, 300))
    return _single(kind, luck)


def _single(kind: str, luck: random.Random) -> Any:
    if luck.random() < 0.75:
        return _Raw(luck.choice(RAW))
    while True:
        documents = luck.choice(_parsed(luck.choice(("yaml", kind))))
        holder, key = luck.choice(list(_places(list(documents))))
        if len(found := json.dumps(holder[key])) < _LONGEST_PART:
            return json.loads(found)


def _flow(value: Any) -> str:
    if isinstance(value, _Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    return "[" + ", ".join(map(_flow, value)) + "]" if isinstance(value, list) else json.dumps(value)


def scratched(whole: str, luck: random.Random) -> str:
    """Bytes put in, taken out, doubled or swapped."""
    for _ in range(luck.choice((1, 1, 2, 5, 20))):
        at, to = sorted(luck.randrange(len(whole) + 1) for _ in range(2))
        to = min(to, at + luck.choice((1, 4, 40)))
        piece = luck.choice((luck.choice(RAW), chr(luck.choice((luck.randrange(128), luck.randrange(0x2FFF)))), ""))
        piece = whole[at:to] * luck.choice((2, 3, 50)) if luck.random() < 0.2 else piece
        whole = whole[:at] + piece + whole[to:]
    return whole[: 4 * _LARGEST]


def _heap(luck: random.Random) -> str:
    """YAML's own signs, RAW and keys in any order."""
    signs = (
        "- ",
        ": ",
        "? ",
        "\n",
        "\n  ",
        ", ",
        "[",
        "]",
        "{",
        "}",
        "&a ",
        "*a",
        "&b ",
        "*b",
        "! ",
        "| ",
        "#",
        "'",
        '"',
    )
    return "".join(luck.choice((luck.choice(signs), luck.choice(RAW), luck.choice(_keys()))) for _ in range(40))


def assignment(number: int) -> str:
    """An argument of ``--set``."""
    luck = random.Random(f"set-{number}")
    if luck.random() < 0.1:
        return scratched(luck.choice(("cluster.nodes=8", "routers.0.ecmp.hash=modulo", "slo.0.max=1s")), luck)
    documents = luck.choice(_parsed("yaml"))
    path: list[str] = []
    value: Any = documents[0]
    while isinstance(value, dict | list) and value and luck.random() < 0.85:
        key = luck.choice(list(value) if isinstance(value, dict) else range(len(value)))
        path.append(str(key))
        value = value[key]
    if luck.random() < 0.3:
        path.insert(luck.randrange(len(path) + 1), luck.choice((*_keys(), "0", "-1", "00", "9" * 20, "١")))
    return f"{'.'.join(path)}={luck.choice((luck.choice(RAW), _flow(_value('yaml', luck))))}"


def duration(number: int) -> Any:
    """A duration as a scenario may have it: text, a number, a distribution."""
    luck = random.Random(f"duration-{number}")
    how = luck.random()
    if how < 0.35:
        return "".join(luck.choice(_DURATION_SIGNS) for _ in range(luck.choice((1, 2, 4, 8, 400))))
    if how < 0.6:
        numbers = ("0", "1", "00", ".5", "1.", "1e9", "9" * 30, "9" * 400, "-1", "٣")
        units = ("us", "µs", "ms", "s", "m", "h", "d", "", "S", " s")
        return "".join(luck.choice(numbers) + luck.choice(units) for _ in range(luck.randrange(5)))
    if how < 0.8:
        sizes = (0, 1, -1, 2**63, 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf"), True, None, b"1s", [], {})
        return luck.choice(sizes)
    kinds = ("uniform", "choice", "normal", "lognormal", "exponential", "empirical", "", "Uniform", None, 1)
    names = ("mean", "sd", "median", "p99", "", "x")
    some = duration(number * 7 + 1)
    listed = [duration(number * 7 + i) for i in range(luck.randrange(4))]
    named = {luck.choice(names): duration(number * 7 + i) for i in range(luck.randrange(4))}
    return {luck.choice(kinds): luck.choice((some, listed, named))}


@cache
def _dumps() -> tuple[Any, ...]:
    folder = ROOT / "tests/data/cli-golden"
    read = (json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.input.json")))
    return tuple(found for found in read if len(json.dumps(found)) <= _LARGEST)


def dump(number: int) -> str:
    """JSON like that of the real tools, for ``show --from``."""
    luck = random.Random(f"dump-{number}")
    return _json_changed(luck.choice(_dumps()), luck)


def record(whole: str, number: int) -> str:
    """A file of a study's folder, changed."""
    return _json_changed(json.loads(whole), random.Random(f"record-{number}"))


def _json_changed(found: Any, luck: random.Random) -> str:
    found = json.loads(json.dumps(found))
    if luck.random() < 0.2:
        return scratched(json.dumps(found), luck)
    for _ in range(luck.choice((1, 1, 2, 5))):
        places = list(_places(found))
        if not places:
            return json.dumps(luck.choice(JSON))
        holder, key = luck.choice(places)
        if luck.random() < 0.2:
            del holder[key]
        else:
            other = json.dumps(holder[luck.choice(list(_keys_of(holder)))])
            holder[key] = luck.choice(JSON) if luck.random() < 0.8 else json.loads(other)
        found = json.loads(json.dumps(found))
    return json.dumps(found)


def _keys_of(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))
