import json

from cli_runs import cli

from simbgp.profiles import router_names, speaker_names
from simbgp.profiles.cited import CONFIDENCES
from simbgp.report.profiles import catalogue, catalogue_lines, find, sheet, sheet_lines


def test_every_profile_is_in_the_catalogue():
    assert [entry["name"] for entry in catalogue()] == [*router_names(), *speaker_names()]
    assert len(catalogue_lines()) == 1 + len(catalogue())


def test_a_sheet_has_a_source_and_a_confidence_for_every_value():
    lines = sheet(find("frr-8.4")[0])["values"]
    assert lines["hold_s"]["value"] == 180
    assert all(line["source"] and line["confidence"] in CONFIDENCES for line in lines.values())


def test_a_sheet_names_what_is_unknown_and_what_it_is_calibrated_on():
    lines = sheet_lines(find("1.20")[0])
    assert "calibrated on: nothing, uncalibrated" in lines
    assert any(line.startswith("unknown: Cilium 1.20") for line in lines)


def test_a_sheet_tells_what_is_open_and_how_to_find_out():
    lines = sheet_lines(find("eos")[0])
    place = lines.index("switch: N bit: without the N bit (taken) or with the N bit; played every way")
    assert lines[place + 1].startswith("  find out: `show ip bgp neighbors`: ")
    (stall,) = [line for line in lines if line.startswith("switch: stall")]
    assert stall.endswith("; played where a fault is stall")


def test_a_sheet_as_json_has_the_values_of_each_alternative():
    n_bit = sheet(find("eos")[0])["switches"][0]
    assert [a["values"]["notification"] for a in n_bit["alternatives"]] == [False, True]
    assert n_bit["needs_restart"] is True


def test_an_unknown_profile_is_not_found():
    assert find("frr-1.0") == []


def test_a_name_of_a_router_and_of_a_speaker_shows_both():
    text = cli("profiles", "gobgp-3.10").out
    assert "gobgp-3.10: GoBGP 3.10 as a router" in text
    assert "gobgp-3.10: gobgpd 3.10, alone on a node" in text
    assert [each["title"] for each in json.loads(cli("profiles", "gobgp-3.10", "--format", "json").out)] == [
        "GoBGP 3.10 as a router",
        "gobgpd 3.10, alone on a node",
    ]
    assert json.loads(cli("profiles", "frr-8.4", "--format", "json").out)["name"] == "frr-8.4"
