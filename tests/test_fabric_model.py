"""When spines follow the routers below them, to the microsecond; end to end from faults to windows and scenarios."""

from dataclasses import replace
from pathlib import Path

import pytest
from worlds import VIP, cluster, fault, instant, play, since_fault

import simbgp
from simbgp.profiles import Law, RouterProfile
from simbgp.scenario.plan import EcmpPlan, Plan, SpinePlan
from simbgp.timeline import RouteChanged, SpineChanged, Timeline
from simbgp.traffic import windows

SCENARIOS = Path(__file__).parent.parent / "scenarios"
POD_1 = "10.244.1.0/24"


def two_tiers(profile: RouterProfile | None = None, wait_s: float = 0.05, **more: object) -> Plan:
    """A spine over two routers, each with the same two nodes."""
    made = cluster(routers=(profile or instant(),) * 2, **more)  # type: ignore[arg-type]
    spine = SpinePlan("spine-1", ("tor-1", "tor-2"), EcmpPlan("hash-threshold"), 1, Law.constant(wait_s))
    return replace(made, fabric=(spine,))


def spine_log(log: Timeline, prefix: str = VIP, router: str = "tor-1") -> list[tuple[float, bool]]:
    facts = [fact for fact in log.of(SpineChanged) if (fact.prefix, fact.router) == (prefix, router)]
    return [(since_fault(fact.time_us), fact.sends) for fact in facts]


def first_added(log: Timeline, router: str = "tor-1") -> float:
    times = [f.time_us for f in log.of(RouteChanged) if (f.router, f.prefix, f.event) == (router, VIP, "added")]
    return since_fault(min(times))


def holes(plan: Plan, log: Timeline, prefix: str = VIP) -> list[tuple[str, str, float, float | None, float]]:
    found = [window for window in windows(plan, log) if window.prefix == prefix]
    ends = [None if window.end_us is None else since_fault(window.end_us) for window in found]
    return [(w.router, w.cause, since_fault(w.start_us), end_s, w.share) for w, end_s in zip(found, ends, strict=True)]


@pytest.mark.parametrize("wait_s", [0.0, 0.05, 3.0])
def test_a_dead_router_is_sent_to_for_the_convergence_time_and_no_longer(wait_s: float) -> None:
    plan = two_tiers(wait_s=wait_s)
    log = play(plan, fault("router-down", 30))
    assert spine_log(log)[0] == (wait_s, False)
    assert holes(plan, log) == [("tor-1", "no-route", 0.0, wait_s, 1.0)] * bool(wait_s)


def test_it_is_sent_to_again_the_convergence_time_after_its_first_next_hop() -> None:
    log = play(two_tiers(), fault("router-down", 30))
    assert spine_log(log) == [(0.05, False), (round(first_added(log) + 0.05, 6), True)]


def test_a_router_that_has_another_next_hop_is_not_left() -> None:
    log = play(two_tiers(), fault("agent-crash", 20))
    assert spine_log(log) == []
    # the PodCIDR of that node has no other: both routers lose it at once, and the spine has nobody
    assert [spine_log(log, POD_1, router)[0] for router in ("tor-1", "tor-2")] == [(0.05, False)] * 2


def test_a_prefix_without_any_next_hop_is_one_outage_at_both_routers_until_the_spine_is_back() -> None:
    plan = two_tiers()
    log = play(plan, fault("agent-crash", 20))
    # down at 0, the container at 20, the dial at 22; the spine follows 50 ms later
    back_s = round(first_added_pod(log) + 0.05, 6)
    assert back_s == 22.05
    assert holes(plan, log, POD_1) == [
        ("tor-1", "no-route", 0.0, back_s, 1.0),
        ("tor-2", "no-route", 0.0, back_s, 1.0),
    ]


def first_added_pod(log: Timeline) -> float:
    times = [fact.time_us for fact in log.of(RouteChanged) if (fact.prefix, fact.event) == (POD_1, "added")]
    return since_fault(min(times))


@pytest.mark.parametrize(
    ("wait_s", "expected"),
    [(21.999, [(21.999, False), (43.999, True)]), (22.0, []), (22.001, [])],
)
def test_what_is_undone_within_the_convergence_time_is_never_seen(
    wait_s: float, expected: list[tuple[float, bool]]
) -> None:
    # the agent is down for 20 s and dials 2 s later: no next hop of its pods from 0 to 22
    log = play(two_tiers(wait_s=wait_s), fault("agent-crash", 20))
    assert spine_log(log, POD_1) == expected


def test_a_daemon_that_dies_is_left_although_its_kernel_still_forwards() -> None:
    # nothing is lost: the table is kept, and the other router takes over after 50 ms
    plan = two_tiers(instant("bird-2.0", fib_after_crash="kept"))
    log = play(plan, fault("router-restart", 2))
    assert spine_log(log)[0] == (0.05, False)
    assert spine_log(log)[1][1] is True
    assert spine_log(log)[1][0] > 2.05  # the new daemon has to hear from a node first
    assert holes(plan, log) == []


def test_a_table_that_is_dropped_with_the_daemon_loses_traffic_for_what_is_left_of_the_convergence_time() -> None:
    # FRR: routes out 20 ms after the daemon, 30 us a prefix; the spine leaves at 50 ms
    profile = instant("frr-8.4", fib_daemon=Law.constant(0.02))
    plan = two_tiers(profile)
    assert holes(plan, play(plan, fault("router-restart", 2))) == [("tor-1", "no-route", 0.02, 0.05, 1.0)]


def test_the_last_router_that_dies_is_one_outage_until_the_spine_has_one_again() -> None:
    plan = two_tiers()
    only = replace(plan.fabric[0], over=("tor-1",))
    other = replace(plan.fabric[0], name="spine-2", over=("tor-2",))
    plan = replace(plan, fabric=(only, other))
    log = play(plan, fault("router-down", 30))
    assert holes(plan, log) == [("tor-1", "no-route", 0.0, round(first_added(log) + 0.05, 6), 1.0)]


def test_a_drawn_convergence_is_drawn_once_per_spine_router_and_change() -> None:
    plan = two_tiers()
    drawn = replace(plan.fabric[0], convergence=Law("uniform", (1.0, 2.0)))
    plan = replace(plan, fabric=(drawn, replace(drawn, name="spine-2")))
    times = set()
    for run in range(20):
        facts = play(plan, fault("router-down"), run=run).of(SpineChanged)
        of_spine = {name: {f.time_us for f in facts if f.spine == name} for name in ("spine-1", "spine-2")}
        assert [len(moments) for moments in of_spine.values()] == [1, 1]  # all prefixes at once
        assert of_spine["spine-1"] != of_spine["spine-2"]
        times |= of_spine["spine-1"]
    assert len(times) == 20
    assert all(1.0 <= since_fault(time_us) <= 2.0 for time_us in times)


def test_a_cold_start_has_no_way_until_the_spine_has_heard_of_one() -> None:
    plan = two_tiers(cold=True)
    log = play(plan)
    heard_s = {router: first_added(log, router) for router in ("tor-1", "tor-2")}
    begin = {(w.router, w.start_us) for w in windows(plan, log) if w.prefix == VIP}
    assert begin == {("tor-1", 0), ("tor-2", 0)}
    ends = {since_fault(w.end_us or 0) for w in windows(plan, log) if w.prefix == VIP}
    assert ends == {round(min(heard_s.values()) + 0.05, 6)}


def test_without_a_fabric_no_spine_is_heard_of() -> None:
    assert play(cluster(), fault("router-down", 30)).of(SpineChanged) == []


# the shipped scenarios


def metric(name: str, what: str, **changes: object) -> float:
    scenario = simbgp.load(SCENARIOS / f"{name}.yaml").with_(traffic=[], **changes)
    return getattr(simbgp.run(scenario, runs=1), what)("web").max


@pytest.mark.parametrize(("seed", "lost_s", "peak"), [(0, 2.5, 0.25), (1, 1.25, 0.125)])
def test_polarised_tiers_lose_twice_as_much_by_one_link(seed: int, lost_s: float, peak: float) -> None:
    # 5 s of 1/2 or 1/4 of the rack's traffic; a node has 1/2 * 1/2 or 1/2 * 1/4 of all
    changes = {"fabric.0.hashSeed": seed, "fabric.1.hashSeed": seed}
    assert metric("two-tier-polarisation", "lost_traffic_s", **changes) == lost_s
    assert metric("two-tier-polarisation", "peak_node_load", **changes) == peak


def test_with_dsr_the_pods_behind_the_link_that_fails_are_not_heard_in_either_rack() -> None:
    # 2 of 16 pods are on a-1: beside the 1/2 at tor-a 1/8 of its other half is lost, and 1/8 of all at tor-b, whose
    # answers take the same link: 5 s * (1/2 + 1/16 + 1/8)
    changes = {"cluster.loadBalancer.mode": "dsr"}
    assert metric("two-tier-polarisation", "lost_traffic_s", **changes) == pytest.approx(3.4375)


def test_a_rack_whose_router_dies_costs_the_convergence_time_and_doubles_the_load() -> None:
    assert metric("two-tier-router-down", "blackhole_s") == 0.05
    assert metric("two-tier-router-down", "peak_node_load") == 0.25
    assert metric("two-tier-router-down", "blackhole_s", fabric=[]) == 240  # to the horizon: half of all clients
