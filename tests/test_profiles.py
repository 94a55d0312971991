"""Profiles: every line has a source, and what is read is what was written."""

from dataclasses import fields

import pytest

from simbgp.profiles import (
    Law,
    UnknownProfileError,
    loader,
    newest_speaker,
    router,
    router_names,
    speaker,
    speaker_names,
)

ALL = [router(name) for name in router_names()] + [speaker(name) for name in speaker_names()]


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_every_field_of_a_profile_has_a_citation(profile):
    head = {"name", "title", "calibrated", "unknowns", "citations", "switches"}
    cited = {line.split(".")[0] for line in profile.citations}
    assert cited == {field.name for field in fields(profile)} - head
    assert all(line.source for line in profile.citations.values())


def test_a_patch_release_of_cilium_has_its_minors_profile():
    assert speaker("1.20.3") == speaker("1.20")


@pytest.mark.parametrize(("ask", "name"), [(router, "frr-7"), (speaker, "1.2"), (speaker, "gobgp-2")])
def test_an_unknown_profile_is_refused_with_those_that_exist(ask, name):
    with pytest.raises(UnknownProfileError, match="allowed: ") as refusal:
        ask(name)
    assert name in str(refusal.value)


def test_the_newest_cilium_is_the_default_and_releases_sort_as_numbers():
    assert newest_speaker() == "1.20"
    cilium = ("1.15", "1.16", "1.17", "1.18", "1.19", "1.20")
    assert speaker_names() == (*cilium, "gobgp-3.10", "gobgp-3.36", "gobgp-4.8")


def test_every_router_people_may_name_has_a_profile():
    measured = {"bird-2.0", "frr-8.4", "gobgp-3.10", "openbgpd-7.7"}
    others = {"frr-10", "sonic", "junos", "eos", "nxos", "iosxr", "srlinux", "rfc4724", "rfc8538", "cumulus"}
    assert set(router_names()) == measured | others
    assert {name for name in router_names() if router(name).calibrated} == measured


def test_a_profile_that_is_only_there_to_be_like_is_no_router():
    with pytest.raises(UnknownProfileError, match="unknown router profile 'unmeasured'"):
        router("unmeasured")


def test_what_was_measured_on_one_router_is_derived_for_another():
    assert router("frr-8.4").citations["keepalive_jitter"].confidence == "measured"
    line = router("sonic").citations["keepalive_jitter"]
    assert line.confidence == "derived"
    assert line.source.startswith("as frr-8.4: capture of 130 s")


def test_a_profile_takes_over_the_lines_it_does_not_state():
    assert speaker("gobgp-4.8").deferral_s == speaker("gobgp-3.10").deferral_s == 360
    assert speaker("gobgp-4.8").first_dial == Law("uniform", (1.5, 2.0))


@pytest.mark.parametrize(
    "line",
    [{"is": 1, "sure": "measured"}, {"is": 1, "sure": "certain", "from": "x"}, {"is": 1, "sure": "source", "from": ""}],
)
def test_a_line_without_a_source_or_a_known_confidence_does_not_load(line):
    known = {"x": {"name": "x", "title": "x", "values": {"hold_s": line}}}
    with pytest.raises(ValueError, match="profile x: hold_s needs exactly is, sure"):
        loader._lines(known, "x")


def test_a_profile_that_lacks_a_field_does_not_load():
    line = {"is": 90, "sure": "source", "from": "RFC 4271 §10"}
    known = {"x": {"name": "x", "title": "x", "values": {"hold_s": line, "mood": line}}}
    with pytest.raises(ValueError, match=r"lacks \[.*'ecmp_hash'.*unknown \['mood'\]"):
        loader._build(type(router("rfc4724")), known, "x")
