"""The gallery that is checked in: whole, small, and what the program prints today."""

import pytest

from reports.make import FOLDER, SHOWN, index, main, played, text

_MOST_BYTES = 1_500_000


def test_every_scenario_of_the_gallery_has_its_text_and_its_picture_and_nothing_else_is_there():
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in (".txt", ".png")}
    assert kept == {f"{name}{suffix}" for name in SHOWN for suffix in (".txt", ".png")}
    assert all((FOLDER / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in SHOWN)


def test_the_gallery_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir() if path.is_file()) < _MOST_BYTES


def test_the_page_shows_what_the_scenarios_say_of_themselves():
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == index()


@pytest.mark.parametrize("name", ["guide-link-direct", "regression-restart-bit"])
def test_a_report_is_what_the_program_prints_today(name):
    assert (FOLDER / f"{name}.txt").read_text(encoding="utf-8") == text(played(name)), "run: python -m reports.make"


def test_a_name_that_is_not_shown_is_refused(capsys):
    assert main(["no-such"]) == 2
    assert "unknown: no-such; allowed: agent-crash, " in capsys.readouterr().err
