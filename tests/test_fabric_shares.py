"""Two tiers: who gets which share with equal and with different hash seeds, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from traffic_worlds import SECOND, VIP, plan, timeline

from simbgp.scenario.plan import EcmpPlan, Plan, SpinePlan
from simbgp.timeline import PathChanged, RouteChanged, SpineChanged
from simbgp.traffic import load, lost_of_whole_us, node_loads, settled, windows
from simbgp.traffic.ecmp import ALL_HASHES, Buckets, HashThreshold, Hrw, Modulo, NextHopGroup, Skipping
from simbgp.traffic.flowhash import router_hashes
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.polarisation import joint


def two_tiers(
    routers: int = 2, nodes: int = 4, upper: str = "hash-threshold", lower: str = "hash-threshold", seed: int = 0
) -> Plan:
    """A spine with this seed over routers of seed 0 that all have all nodes."""
    below = plan(routers=routers, node_count=nodes, hash=lower)
    spine = SpinePlan("spine-1", tuple(r.name for r in below.routers), EcmpPlan(upper), seed)  # type: ignore[arg-type]
    return replace(below, fabric=(spine,))


def first_shares(made: Plan, router: str) -> list[float]:
    return [row.share for row in load(made, timeline(made)) if row.router == router and row.time_us == 0]


def test_equal_seeds_leave_each_router_half_of_its_nodes() -> None:
    # tor-1 gets the lower half of the hashes, where all regions of n1 and n2 lie, tor-2 the upper with n3 and n4
    made = two_tiers()
    assert first_shares(made, "spine-1") == [0.5, 0.5]
    assert first_shares(made, "tor-1") == [0.5, 0.5, 0.0, 0.0]
    assert first_shares(made, "tor-2") == [0.0, 0.0, 0.5, 0.5]


def test_regions_that_do_not_fit_are_cut() -> None:
    # thirds over quarters: tor-1 has n1 and a twelfth of n2, so 3/4 and 1/4; tor-2 half of n2 and of n3
    made = two_tiers(routers=3)
    assert first_shares(made, "tor-1") == pytest.approx([3 / 4, 1 / 4, 0, 0], abs=1e-8)
    assert first_shares(made, "tor-2") == pytest.approx([0, 1 / 2, 1 / 2, 0], abs=1e-8)
    assert first_shares(made, "tor-3") == pytest.approx([0, 0, 1 / 4, 3 / 4], abs=1e-8)


def test_remainders_polarise_by_their_common_divisor() -> None:
    # by 2 and by 4: even hashes are 0 and 2 by 4
    assert first_shares(two_tiers(upper="modulo", lower="modulo"), "tor-1") == [0.5, 0.0, 0.5, 0.0]
    # by 2 and by 3 have no common divisor: of 2^32 hashes (2 by 6) one more is 0 and 1 by 6 than the others
    assert first_shares(two_tiers(nodes=3, upper="modulo", lower="modulo"), "tor-1") == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("seed", [1, 2, 2**32 - 1])
def test_different_seeds_leave_each_router_all_of_its_nodes_alike(seed: int) -> None:
    made = two_tiers(seed=seed)
    assert first_shares(made, "tor-1") == first_shares(made, "tor-2") == [0.25, 0.25, 0.25, 0.25]


def test_the_routers_may_have_the_other_seed() -> None:
    made = two_tiers(seed=7)
    alike = replace(made, routers=tuple(replace(router, hash_seed=7) for router in made.routers))
    assert first_shares(alike, "tor-1") == [0.5, 0.5, 0.0, 0.0]


def test_highest_random_weights_never_polarise() -> None:
    # each member hashes the flow anew, and routers are other members than nodes
    assert first_shares(two_tiers(upper="hrw", lower="hrw"), "tor-1") == [0.25, 0.25, 0.25, 0.25]


@pytest.mark.parametrize(("seed", "share"), [(0, 0.5), (1, 0.25)])
def test_a_dead_path_costs_what_the_router_sends_there(seed: int, share: float) -> None:
    made = two_tiers(seed=seed)
    cut = PathChanged(60 * SECOND, "tor-1", "n1", 1.0)
    (hole,) = [window for window in windows(made, timeline(made, cut)) if window.prefix == VIP]
    assert (hole.router, hole.cause, hole.share) == ("tor-1", "link", share)


def test_a_path_that_no_flow_takes_costs_nothing() -> None:
    made = two_tiers()
    record = timeline(made, PathChanged(60 * SECOND, "tor-1", "n4", 1.0))
    assert [window.prefix for window in windows(made, record)] == ["10.244.4.0/24"]


def test_what_nodes_get_in_all_is_the_sum_over_routers() -> None:
    # equal seeds: each node gets a quarter, over one router. tor-1 has only n1 and n2: of the upper half nothing is
    # theirs, so tor-1's half goes half to each, and tor-2's half to n3 and n4
    made = two_tiers()
    out = [RouteChanged(60 * SECOND, "tor-1", VIP, node, "withdrawn") for node in ("n2", "n3", "n4")]
    loads = dict(node_loads(made, load(made, timeline(made, *out))))
    assert loads[0] == {"n1": 0.25, "n2": 0.25, "n3": 0.25, "n4": 0.25}
    assert loads[60 * SECOND] == {"n1": 0.5, "n2": 0.0, "n3": 0.25, "n4": 0.25}


def test_a_spine_that_left_a_router_sends_it_nothing() -> None:
    made = two_tiers()
    out = [RouteChanged(60 * SECOND, "tor-1", VIP, f"n{i}", "withdrawn") for i in (1, 2, 3, 4)]
    left = SpineChanged(60 * SECOND + 50_000, "spine-1", VIP, "tor-1", False)
    loads = dict(node_loads(made, load(made, timeline(made, *out, left))))
    assert loads[60 * SECOND] == {"n1": 0.0, "n2": 0.0, "n3": 0.25, "n4": 0.25}
    assert loads[60 * SECOND + 50_000] == {"n1": 0.25, "n2": 0.25, "n3": 0.25, "n4": 0.25}


GROUPS: dict[str, tuple[NextHopGroup, int]] = {
    "threshold": (HashThreshold((1, 2, 3)), 3),
    "threshold-5": (HashThreshold((1,) * 5), 5),
    "modulo": (Modulo((2, 1, 3, 1)), 4),
    "modulo-9": (Modulo((1,) * 9), 9),
    "buckets": (Buckets(np.array([0, 2, 1, 1, 2, 0, 0], dtype=np.uint16).tobytes(), 3), 3),
    "skipping": (Skipping(HashThreshold((1, 1, 1)), [True, False, True]), 3),
}


@pytest.mark.parametrize("upper", GROUPS)
@pytest.mark.parametrize("lower", GROUPS)
def test_joint_sizes_are_what_hashes_drawn_at_random_find(upper: str, lower: str) -> None:
    # 400 000 hashes: a share s is found within 5 standard errors, 5 * sqrt(s (1 - s) / 400 000) <= 0.004
    (above, uppers), (below, lowers) = GROUPS[upper], GROUPS[lower]
    hashes = np.random.default_rng(1).integers(0, 2**32, 400_000, dtype=np.uint32)
    found = np.zeros((uppers, lowers))
    np.add.at(found, (above.owners(hashes), below.owners(hashes)), 1 / len(hashes))
    exact = [joint(above, place, below, lowers) for place in range(uppers)]
    assert np.abs(np.array(exact) / ALL_HASHES - found).max() < 0.004
    assert np.sum(exact, axis=1).tolist() == above.sizes().tolist()
    assert np.sum(exact, axis=0).tolist() == below.sizes().tolist()


def test_long_cycles_are_counted_by_their_common_divisor() -> None:
    # 6000 and 4001 places have no common divisor and 24 006 000 in common: independent to one length in 2^32
    above, below = Modulo((2,) * 3000), Modulo((1,) * 4001)
    both = joint(above, 17, below, 4001)
    assert both is not None
    assert max(abs(count / ALL_HASHES - 1 / (3000 * 4001)) for count in both) < 1e-9


def test_scattered_groups_have_no_joint_sizes() -> None:
    assert joint(Hrw((1, 1), (0, 1)), 0, HashThreshold((1, 1)), 2) is None


def test_hashes_of_different_seeds_have_nothing_in_common() -> None:
    # of 2^20 flows as many are in the upper half of both as in one and not the other: 1/4 within 5 standard errors
    keys = np.random.default_rng(2).integers(0, 2**64, 2**20, dtype=np.uint64)
    upper = [router_hashes(keys, seed) >= 2**31 for seed in (0, 1, 2)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert abs((upper[one] & upper[other]).mean() - 0.25) < 5 * (0.1875 / 2**20) ** 0.5
    assert (router_hashes(keys, 0) == keys >> np.uint64(32)).all()


def test_a_hole_below_a_spine_loses_the_routers_part_of_the_whole() -> None:
    # a quarter of what tor-1 gets for 10 s, and tor-1 gets half of all: as much as all of it for 1.25 s
    made = two_tiers(seed=1)
    happened = timeline(
        made, PathChanged(60 * SECOND, "tor-1", "n1", 1.0), PathChanged(70 * SECOND, "tor-1", "n1", 0.0)
    )
    (found,) = lost_of_whole_us(made, happened, windows(made, happened), 0, 0)
    assert found == ("web", pytest.approx(1.25 * SECOND))
    assert Inflow(made, settled(made, happened)).share("tor-1", VIP, 0) == 1 / 2


def test_what_two_spines_cannot_send_is_put_down_to_the_router_that_both_left_last() -> None:
    # tor-1 goes at 10 s, tor-2 at 20 s: of each spine 2^64 in all, first half and half, then all at tor-2, then astray
    one = two_tiers(seed=1)
    made = replace(one, fabric=(*one.fabric, replace(one.fabric[0], name="spine-2")))
    facts = [
        SpineChanged(at_s * SECOND, spine, VIP, router, False)
        for at_s, router in ((10, "tor-1"), (20, "tor-2"))
        for spine in ("spine-1", "spine-2")
    ]
    inflow, whole = Inflow(made, settled(made, timeline(made, *facts))), ALL_HASHES**2
    for at_s, router, total, astray in [
        (5, "tor-1", whole, 0),
        (15, "tor-1", 0, 0),
        (15, "tor-2", 2 * whole, 0),
        (25, "tor-1", 0, 0),
        (25, "tor-2", 2 * whole, 2 * whole),
    ]:
        spread = inflow.spread(router, VIP, at_s * SECOND)
        assert (spread.total, spread.astray) == (total, astray), (at_s, router)
