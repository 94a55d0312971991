import subprocess
import sys
from pathlib import Path

import pytest
from cli_runs import cli

import simbgp

ROOT = Path(simbgp.__file__).parents[1]
HEAVY = ["numpy", "pandas", "matplotlib", "jinja2", "networkx", "simpy", "pydantic", "scipy", "rich", "ruamel"]
COMMANDS = ["run", "sweep", "compare", "validate", "schema", "init", "profiles", "explain", "table"]


def loaded_after(statement, of=HEAVY):
    """Those modules, the heavy packages unless told, that a fresh interpreter has loaded after ``statement``."""
    probe = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\n"
    probe += f"print(*(name for name in {of} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stderr.splitlines()[-1].split()  # the last line is ours


def test_help_loads_nothing_heavy():
    assert loaded_after("from simbgp.cli import main; main(['--help'])") == []


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import simbgp; simbgp.__version__; dir(simbgp)") == []


def test_running_a_scenario_loads_no_data_frames(tmp_path):
    path = tmp_path / "world.yaml"
    path.write_text("cluster: {nodes: 2}\nrouters: [{name: tor-1, profile: rfc8538}]\n")
    loaded = loaded_after(f"from simbgp.cli import main; main(['run', {str(path)!r}, '--format', 'json'])")
    assert "numpy" in loaded
    assert not {"pandas", "matplotlib", "networkx", "rich"} & set(loaded)


def test_the_page_of_a_run_loads_no_part_that_it_does_not_draw_with(tmp_path):
    path, page = tmp_path / "world.yaml", tmp_path / "page.html"
    path.write_text("cluster: {nodes: 2}\nrouters: [{name: tor-1, profile: rfc8538}]\n")
    idle = [
        "pandas",
        "networkx",
        "rich",
        "scipy.stats",
        "matplotlib.pyplot",
        "simbgp.study.advise",
        "simbgp.study.waiting",
    ]
    command = f"from simbgp.cli import main; main(['run', {str(path)!r}, '--report', {str(page)!r}])"
    assert loaded_after(command, ["jinja2", *idle]) == ["jinja2"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    done = cli(command, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: simbgp {command}")
    assert command in cli("--help").out


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "simbgp", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"simbgp, version {simbgp.__version__}\n"
