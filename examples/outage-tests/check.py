"""Show that the tests of this project go red when the hold time is raised from 9 to 90: ``python check.py [PYTHON]``.

Builds simbgp's wheel from the sources above and installs it, with pytest, in a virtual environment of its own; with
PYTHON it takes that one, in which both are installed. The tests are played in a copy of this folder.
"""

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1]
REASONS = (
    "test_a_dead_node_is_noticed_within_ten_seconds",
    "<= 10.0",
    "tor-1 loses the session with worker-1: hold timer expired",
    "web is whole again at tor-1",
    "reproduce: simbgp run outages/node-down.yaml --runs 100 --seed 0",
)
"""What the report of the failed test says: which test, by how much, why, and how to see it again."""


def installed(folder: Path) -> str:
    """A Python with the wheel of the sources and pytest."""
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run(
        [python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder / "wheels"), str(SOURCES)], check=True
    )
    (wheel,) = (folder / "wheels").glob("simbgp-*.whl")
    print(f"built {wheel.name}")
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel), "pytest"], check=True)
    return python


def tested(python: str, project: Path) -> subprocess.CompletedProcess[str]:
    """The project's tests, played."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "outages"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        shutil.copytree(HERE, project, ignore=shutil.ignore_patterns("__pycache__"))
        python = arguments[0] if arguments else installed(folder)
        green = tested(python, project)
        print(green.stdout, green.stderr, sep="")
        if green.returncode != 0:
            print("the tests do not pass as they are")
            return 1
        scenario = project / "outages" / "node-down.yaml"
        timers = "holdTimeSeconds: 9, keepAliveTimeSeconds: 3"
        raised = "holdTimeSeconds: 90, keepAliveTimeSeconds: 30"
        text = scenario.read_text(encoding="utf-8")
        assert timers in text
        scenario.write_text(text.replace(timers, raised), encoding="utf-8")
        print(f"outages/node-down.yaml: {timers} -> {raised}\n")
        red = tested(python, project)
        print(red.stdout, red.stderr, sep="")
        unsaid = [reason for reason in REASONS if reason not in red.stdout]
        if red.returncode != 1 or unsaid:
            print(f"the tests should fail and say why; unsaid: {unsaid}")
            return 1
    print("green with 9 s, red with 90 s, and it says why")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
