"""What a profile leaves open: read from its file, set one way or the other, settled by a scenario."""

import pytest
from scenario_texts import SMALL

from simbgp.profiles import Law, alternatives, loader, router, settled, speaker, switched
from simbgp.scenario import loads

N_BIT = {
    "name": "N bit",
    "field": "notification",
    "values": [False, True],
    "labels": ["without the N bit", "with the N bit"],
    "ask": "`show ip bgp neighbors`",
    "source": "not known",
}


def built(switches, values=(), like="rfc4724"):
    line = {"is": True, "sure": "source", "from": "RFC 8538"}
    data = {"name": "x", "title": "x", "like": like, "values": dict.fromkeys(values, line), "switches": switches}
    return loader._build(type(router("eos")), {**loader._files("routers"), "x": data}, "x")


def of(profile, name):
    (switch,) = [switch for switch in profile.switches if switch.name == name]
    return switch


def test_a_profile_has_the_first_alternative_of_its_switch():
    profile = built([N_BIT])
    assert profile.notification is False
    assert profile.citations["notification"].confidence == "unknown"


def test_alternatives_are_labelled_by_what_differs():
    (taken, first), (label, second) = alternatives(built([N_BIT]))
    assert (taken, first.notification) == ("without the N bit", False)
    assert (label, second.notification) == ("with the N bit", True)


def test_two_switches_have_four_ways():
    helper = {**N_BIT, "name": "helper", "field": "helper", "labels": ["off", "on"]}
    ways = alternatives(built([helper, N_BIT]))
    assert [label for label, _ in ways] == [
        "off and without the N bit",
        "with the N bit",
        "on",
        "on and with the N bit",
    ]
    assert [(way.helper, way.notification) for _, way in ways] == [(a, b) for a in (False, True) for b in (False, True)]


def test_without_a_switch_there_is_one_way():
    assert alternatives(router("frr-8.4")) == [("", router("frr-8.4"))]


def test_a_switch_may_turn_parts_and_laws():
    fields = ["keeps_stale.hold_expired", "fib_hold"]
    both = {**N_BIT, "field": fields, "values": [["never", "0s"], ["gr", {"uniform": [1, 2]}]]}
    (_, first), (_, second) = alternatives(built([both]))
    assert (first.keeps_stale.hold_expired, first.fib_hold) == ("never", Law.constant(0.0))
    assert (second.keeps_stale.hold_expired, second.fib_hold) == ("gr", Law("uniform", (1.0, 2.0)))
    assert second.keeps_stale.tcp_closed == first.keeps_stale.tcp_closed == "gr"


def test_a_value_answers_the_question_of_the_profile_it_is_like():
    assert router("junos").notification
    assert {switch.name for switch in router("junos").switches} == {
        "consistent-hash when a next hop joins",
        "routes over a restart of its BGP process",
        "stall",
    }


@pytest.mark.parametrize(
    ("switches", "values", "message"),
    [
        ([{key: value for key, value in N_BIT.items() if key != "ask"}], (), "a switch needs ask, field"),
        ([{**N_BIT, "mood": 1}], (), "a switch needs ask, field"),
        ([{**N_BIT, "source": ""}], (), "a switch needs ask, field"),
        ([{**N_BIT, "labels": ["without"]}], (), "a label for each"),
        ([{**N_BIT, "values": [False], "labels": ["without"]}], (), "two values or more"),
        ([N_BIT], ["notification"], "a field has two switches, or a switch and a value"),
        ([N_BIT, {**N_BIT, "name": "again"}], (), "a field has two switches, or a switch and a value"),
        ([{**N_BIT, "field": "mood"}], (), r"unknown \['mood'\]"),
    ],
)
def test_a_switch_that_is_not_whole_does_not_load(switches, values, message):
    with pytest.raises(ValueError, match=message):
        built(switches, values)


def test_a_known_field_settles_the_switch_with_all_that_hangs_on_it():
    profile = settled(router("eos"), {"notification": True})
    assert (profile.notification, profile.second_loss) == (True, "rearm")
    assert "N bit" not in {switch.name for switch in profile.switches}


def test_other_fields_settle_nothing():
    assert settled(router("eos"), {"helper": True}).switches == router("eos").switches


def test_of_three_alternatives_those_that_agree_stay_open():
    three = {**N_BIT, "field": ["helper", "notification"], "labels": ["off", "on", "on with N"]}
    profile = settled(built([{**three, "values": [[False, False], [True, False], [True, True]]}]), {"helper": True})
    assert [alternative.label for alternative in profile.switches[0].alternatives] == ["on", "on with N"]
    assert (profile.helper, profile.notification) == (True, False)


@pytest.mark.parametrize(("written", "is_open"), [("true", False), ("false", False), (None, True)])
def test_a_scenario_that_says_it_settles_it_for_its_router(written, is_open):
    override = [] if written is None else [f"routers.0.gracefulRestart.notification={written}"]
    profile = loads(SMALL, overrides=["routers.0.profile=eos", *override]).plan().routers[0].profile
    assert ("N bit" in {switch.name for switch in profile.switches}) is is_open
    assert profile.notification is (written == "true")


@pytest.mark.parametrize("name", ["eos", "nxos", "iosxr", "srlinux"])
def test_nobody_wrote_down_whether_these_send_the_n_bit(name):
    n_bit = of(router(name), "N bit")
    assert [a.values["notification"] for a in n_bit.alternatives] == [False, True]
    assert "capability 64" in n_bit.ask


def test_a_switch_can_be_turned_and_turned_back():
    eos = router("eos")
    n_bit = of(eos, "N bit")
    there = switched(eos, n_bit, n_bit.alternatives[1])
    assert there != eos
    assert switched(there, n_bit, n_bit.alternatives[0]) == eos


def test_old_cilium_has_hard_reset_in_some_patch_releases_only():
    # GoBGP 3.23 in the first of 1.15, 3.26 and later from 1.16 on (RFC 8538 §5.1; commit 0ccd87db)
    assert {tuple(a.values["hard_reset"]) for a in of(speaker("1.15"), "Hard Reset").alternatives} == {(1, 2, 3, 9), ()}
    assert speaker("1.16").hard_reset == (1, 2, 3, 9)
