"""The notebooks as they are committed, and what a notebook shows of a scenario and of a result."""

import json
from pathlib import Path

import pytest
from study_worlds import scenario

import simbgp
from simbgp.report.figures import convergence

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def test_there_is_one_for_each_question():
    assert [path.stem for path in NOTEBOOKS] == [
        "drain-without-dropping",
        "resilient-hashing",
        "rolling-upgrade-of-500-nodes",
        "three-second-hold-timers",
        "which-restart-time",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_what_it_printed(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)
    assert cells[0]["source"][0].startswith("# "), "it begins with its question"
    assert any("**Answer.**" in line for cell in cells for line in cell["source"])


def test_a_result_shows_its_verdict_and_every_bound():
    # hold 90 + restart 120: an outage between 180 and 210 s
    slo = [{"metric": "blackhole_s", "stat": "max", "max": "100s"}]
    shown = simbgp.run(scenario(slo=slo, name="<script>"), runs=3)._repr_html_()
    assert "<b>&lt;script&gt;</b>: BREACHED (3 runs, seed 0)" in shown
    assert "<td>blackhole_s max</td><td>≤ 100 s</td>" in shown
    assert "<td>BREACHED</td>" in shown
    assert "simbgp run" in shown


def test_a_scenario_shows_what_it_says_and_what_was_changed():
    shown = scenario(description="a & b", horizon="300s")._repr_html_()
    assert "<b>world</b>: a &amp; b" in shown
    assert "<li><code>horizon=&quot;300s&quot;</code></li>" in shown
    assert "<script" not in scenario(name="<script>alert(1)</script>")._repr_html_()


def test_a_figure_shows_itself():
    assert convergence(simbgp.run(scenario(), runs=20))._repr_png_().startswith(b"\x89PNG")
