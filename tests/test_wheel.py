"""What a user gets: a wheel that carries all its data, in an environment of its own, does the README's main job.

The environment sees this one's packages, so that nothing is fetched; CI installs afresh with the lowest bounds too.
"""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import simbgp

ROOT = Path(simbgp.__file__).parents[1]
pytest.importorskip("hatchling", reason="the build backend is not installed")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_the_wheel_and_the_sdist_hold_what_is_needed(built):
    [wheel], [sdist] = built.glob("*.whl"), built.glob("*.tar.gz")
    names = set(zipfile.ZipFile(wheel).namelist())
    data = {
        str(file.relative_to(ROOT)) for file in (ROOT / "simbgp").rglob("*") if file.suffix in (".toml", ".j2", ".css")
    }
    assert data
    assert data <= names
    assert "simbgp/report/page/not-modelled.md" in names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)
    with tarfile.open(sdist) as archive:
        members = archive.getnames()
    for folder in ("tests", "scenarios", "docs", "benchmarks"):
        assert any(f"/{folder}/" in name for name in members)


def test_the_readmes_first_command_runs_from_the_wheel(built, tmp_path):
    [wheel] = built.glob("*.whl")
    target = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(target)
    command = re.search(r"simbgp (run scenarios/\S+\.yaml)", (ROOT / "README.md").read_text())
    assert command
    words = command[1].split()
    words[1] = str(ROOT / words[1])
    code = (
        "import simbgp; assert simbgp.__file__.startswith(sys.path[0]); from simbgp.cli import main; main(sys.argv[1:])"
    )
    line = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(target)!r}); {code}", *words, "--quiet"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "VERDICT  MET" in done.stdout
