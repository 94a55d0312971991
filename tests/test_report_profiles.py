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


def test_a_sheet_tells_what_is_open_and_how_to_find_out():
    lines = sheet_lines(find("eos"))
    place = lines.index("switch: N bit: without the N bit (taken) or with the N bit; played every way")
    assert lines[place + 1].startswith("  find out: `show ip bgp neighbors`: ")
    (stall,) = [line for line in lines if line.startswith("switch: stall")]
    assert stall.endswith("; played where a fault is stall")


def test_a_sheet_as_json_has_the_values_of_each_alternative():
    n_bit = sheet(find("eos"))["switches"][0]
    assert [a["values"]["notification"] for a in n_bit["alternatives"]] == [False, True]
    assert n_bit["needs_restart"] is True


def test_an_unknown_profile_is_not_found():
    assert find("frr-1.0") is None
