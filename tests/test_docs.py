"""The documentation does what it says: its commands run, its Python runs, what it quotes is printed."""

import re
import runpy
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_runs import cli
from ruamel.yaml import YAML

from simbgp.scenario import loads

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "README.zh.md"])
_ELSEWHERE = ("sudo", "ssh", "for", "kubectl", "pytest", "python3 -m venv", "python -m benchmarks")
"""Commands that need other machines or other programs, or have a test of their own."""


_INSTALLED = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install -q \. && \.venv/bin/(?=simbgp)")
"""What comes before a command where nothing is installed yet; .ci/run does that."""
_RUNS = re.compile(r"\bruns=\d{3}\b")


class Block(NamedTuple):
    language: str
    text: str


def blocks(page):
    found = re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [Block(*each) for each in found]


def commands(text):
    """The lines that begin with a $, with what continues them."""
    lines = text.replace("\\\n", " ").splitlines()
    return [_INSTALLED.sub("", line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


def is_ours(command):
    """Whether it can be run here; placeholders are in capitals."""
    if command.startswith(_ELSEWHERE):
        return False
    assert command.startswith("simbgp "), f"who runs this? {command}"
    return not re.search(r"\b(FILE|A B|BEFORE)\b|tcp://", command)


def play(command, quoted):
    """Run it; what is not quoted need not be played often."""
    words = shlex.split(command)
    target = words[words.index(">") + 1] if ">" in words else None
    words = words[1 : words.index(">")] if ">" in words else words[1:]
    if not quoted and words[0] in ("run", "sweep", "compare"):
        words += ["--runs", "1"]
    done = cli(*words)
    assert done.code in (0, 1, 4), done.err
    if target:
        Path(target).write_text(done.out, encoding="utf-8")
    return done.out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_runs_in_its_order(page, tmp_path, monkeypatch):
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    monkeypatch.chdir(tmp_path)
    found = blocks(page)
    printed = None
    for place, block in enumerate(found):
        if block.language == "console":
            quoted = place + 1 < len(found) and found[place + 1].language == "text"
            outputs = [play(command, quoted) for command in commands(block.text) if is_ours(command)]
            printed = outputs[-1] if outputs else None
        elif block.language == "text" and printed is not None:
            lines = [line.strip() for line in printed.splitlines()]
            for line in block.text.splitlines():
                assert line == "..." or line.strip() in lines, f"not printed: {line}"
        elif block.language == "yaml":
            read = list(YAML(typ="safe").load_all(block.text))
            if any("cluster" in each and "kind" not in each for each in read if isinstance(each, dict)):
                loads(block.text).plan()
        elif block.language == "python" and "simbgp_run" not in block.text:
            # as with commands: what is not looked at need not be played often
            text = block.text if "assert" in block.text else _RUNS.sub("runs=4", block.text)
            exec(compile(text, page.name, "exec"), {"__name__": "docs"})


@pytest.mark.parametrize("name", ["commands.md", "profiles.md", "scenario.md"])
def test_the_reference_is_what_the_program_says_now(name):
    make = runpy.run_path(str(ROOT / "docs" / "make_reference.py"))["PAGES"][name]
    current = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert current == make(), "run: python docs/make_reference.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_reference_explains_every_key_of_a_scenario():
    rows = (ROOT / "docs/reference/scenario.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row.startswith("| `") and row.endswith("|  |")] == []
