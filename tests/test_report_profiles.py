from simbgp.profiles import router_names, speaker_names
from simbgp.profiles.cited import CONFIDENCES
from simbgp.report.profiles import catalogue, catalogue_lines, find, sheet, sheet_lines


def test_every_profile_is_in_the_catalogue():
    assert [entry["name"] for entry in catalogue()] == [*router_names(), *speaker_names()]
    assert len(catalogue_lines()) == 1 + len(catalogue())


def test_a_sheet_has_a_source_and_a_confidence_for_every_value():
    lines = sheet(find("frr-8.4"))["values"]
    assert lines["hold_s"]["value"] == 180
    assert all(line["source"] and line["confidence"] in CONFIDENCES for line in lines.values())


def test_a_sheet_names_what_is_unknown_and_what_it_is_calibrated_on():
    lines = sheet_lines(find("1.20"))
    assert "calibrated on: nothing, uncalibrated" in lines
    assert any(line.startswith("unknown: Cilium 1.20") for line in lines)


def test_an_unknown_profile_is_not_found():
    assert find("frr-1.0") is None
