"""Tables of switching ASICs, and what each make does by default with its next hops."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scenario_texts import small
from traffic_worlds import SECOND, VIP, clients, plan, timeline

from simbgp.profiles import router
from simbgp.scenario.plan import EcmpPlan, LoadBalancerPlan, Plan, ecmp_plan
from simbgp.study.alternatives import other_ways
from simbgp.timeline import Fact, RouteChanged
from simbgp.traffic import History, outcomes
from simbgp.traffic.ecmp import Dealer
from simbgp.traffic.fixed_table import FixedTable

MANY = 20_000
DSR = LoadBalancerPlan("maglev", "dsr", table_size=251)


def table(buckets: int, members: str, addition: str = "at-once", **weights: int) -> FixedTable:
    ecmp = EcmpPlan("resilient", buckets, addition=addition)  # type: ignore[arg-type]
    return FixedTable(ecmp, dict.fromkeys("123456789", 1) | {n[1:]: w for n, w in weights.items()}, tuple(members), 0)


def row(made: FixedTable) -> str:
    return "".join(made._members[place] for place in np.frombuffer(made.layout(), dtype=np.uint16))


def test_entries_are_dealt_in_turn():
    # EOS manual: capacity 6, redundancy 4, so 24 entries; four next hops stand in six each
    assert row(table(24, "1234")) == "1234" * 6
    assert Counter(row(table(16, "123", w1=2))) == {"1": 8, "2": 4, "3": 4}


def test_only_the_entries_of_a_next_hop_that_goes_are_dealt_anew():
    made = table(12, "1234")
    made.replace(("1", "3", "4"), 0)
    # entries 1, 5 and 9 were those of 2: they go to 1, 3 and 4 in turn
    assert row(made) == "113413341434"


def test_of_256_entries_a_ninth_next_hop_takes_28_three_or_four_from_each():
    # ExtremeXOS manual, resilient hashing: 256 = 8 * 32; 256 / 9 = 28.4; 28 / 8 = 3.5
    made = table(256, "12345678")
    before = row(made)
    made.replace(tuple("123456789"), 0)
    taken = Counter(a for a, b in zip(before, row(made), strict=True) if a != b)
    assert Counter(row(made))["9"] == sum(taken.values()) == 28
    assert set(taken.values()) == {3, 4}


def test_a_table_that_does_not_cover_additions_is_dealt_anew():
    made = table(12, "123", "rehash")
    made.replace(("1", "2", "3", "4"), 0)
    assert row(made) == row(table(12, "1234"))
    made.replace(("1", "3", "4"), 0)  # what goes is covered
    assert [a for a, b in zip("1234" * 3, row(made), strict=True) if a != b] == ["2", "2", "2"]


def with_ecmp(**settings: object) -> Plan:
    made = plan(traffic=clients(connections=MANY), balancer=DSR)
    return replace(made, routers=(replace(made.routers[0], ecmp=EcmpPlan(**settings)),))  # type: ignore[arg-type]


def moved(made: Plan, *facts: Fact) -> int:
    return outcomes(made, timeline(made, *facts), seed=1, run=0)[0].moved


def change(at_s: int, event: str, node: str = "n1") -> RouteChanged:
    return RouteChanged(at_s * SECOND, "tor-1", VIP, node, event)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("addition", "share"),
    [
        # a quarter moves at the removal. Busy buckets stay on Linux: no more
        ("idle", 0.25),
        # the returned one takes a quarter of the entries, 10 or 11 of each; a quarter of these were its own before, and
        # their connections have moved already
        ("at-once", 0.25 + 0.25 - 0.25 / 4),
    ],
)
def test_what_moves_when_a_next_hop_goes_and_comes_back(addition: str, share: float):
    made = with_ecmp(hash="resilient", buckets=128, addition=addition)
    found = moved(made, change(60, "withdrawn"), change(90, "added"))
    assert found == pytest.approx(share * MANY, abs=0.05 * MANY)


def test_a_returned_next_hop_has_its_old_place_or_the_last():
    for order, last in (("address", ("n1", "n2", "n3", "n4")), ("arrival", ("n3", "n4", "n2", "n1"))):
        made = with_ecmp(hash="hash-threshold", order=order)
        facts = [change(60, "withdrawn"), change(61, "withdrawn", "n2"), change(90, "added", "n2"), change(91, "added")]
        groups = History(made, timeline(made, *facts)).groups("tor-1", VIP)
        assert groups.values[0].members == ("n1", "n2", "n3", "n4")
        assert groups.last.members == last


def test_a_next_hop_that_returns_at_the_end_moves_half_whatever_its_place_was():
    # measured: 0.482 to 0.508 in 58 rows. The second of four: a third goes, then half of all; with DSR all live on
    for order, most in (("address", 1 / 3), ("arrival", 1 / 2)):
        made = with_ecmp(hash="hash-threshold", order=order)
        log = timeline(made, change(60, "withdrawn", "n2"), change(90, "added", "n2"))
        groups = History(made, log).groups("tor-1", VIP)
        hashes = np.random.Generator(np.random.Philox(7)).integers(0, 2**32, 100_000, dtype=np.uint32)
        owners = [
            np.array(hops.members)[Dealer(made).group("tor-1", hops).owners(hashes)] for hops in groups.values[1:]
        ]
        assert np.mean(owners[0] != owners[1]) == pytest.approx(most, abs=0.007)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("frr-8.4", EcmpPlan("hash-threshold", 128, on_change="new-group", maximum_paths=256)),
        ("bird-2.0", EcmpPlan("hash-threshold", 128)),
        ("sonic", EcmpPlan("modulo", 120, maximum_paths=256, addition="at-once", order="arrival")),
        ("cumulus", EcmpPlan("modulo", 64, maximum_paths=256)),
        ("eos", EcmpPlan("modulo", 24, addition="at-once", order="arrival")),
        ("nxos", EcmpPlan("modulo", 128, addition="at-once", order="arrival")),
        ("junos", EcmpPlan("modulo", 256, addition="rehash", order="arrival")),
    ],
)
def test_every_make_has_its_own_defaults(name: str, made: EcmpPlan):
    assert ecmp_plan(router(name)) == made


def of(profile: str, ecmp: str = "{hash: resilient}") -> Plan:
    return small("", f"routers.0.profile={profile}", f"routers.0.ecmp={ecmp}").plan()


def test_what_a_make_does_with_one_that_joins_is_played_both_ways_only_where_groups_are_resilient():
    names = [choice.switch.name for way in other_ways(of("junos")) for choice in way.choices]
    assert names == ["consistent-hash when a next hop joins"]
    (way,) = other_ways(of("junos"))
    assert (way.plan.routers[0].ecmp.addition, way.plan.routers[0].ecmp.hash) == ("at-once", "resilient")
    assert other_ways(of("junos", "{hash: modulo}")) == other_ways(of("eos")) == []
    assert other_ways(of("junos", "{hash: resilient, addition: rehash}")) == []


def test_timers_of_a_table_that_has_none_are_said_to_change_nothing():
    told = "tor-1 has a table without timers: ecmp.idleTimer and unbalancedTimer change nothing"
    assert told in of("sonic", "{hash: resilient, idleTimer: 5s}").assumptions
    assert told not in of("cumulus", "{hash: resilient, idleTimer: 5s}").assumptions
