"""The closed forms piece by piece: which part is added when, and in which words. All sums by hand.

A cluster without latency (`worlds.instant`, `worlds.steady`): the agent is dead for 20 s, starts in 10, dials after 2.
"""

from dataclasses import replace

import pytest
from worlds import VIP, cluster, instant, pod_cidr, steady

from simbgp.measure import Value, closed_forms
from simbgp.profiles import Law
from simbgp.scenario.plan import EcmpPlan, FaultPlan, GracefulRestartPlan, NodePlan, SpinePlan

POD = f"outage of {pod_cidr(1)}"
SERVICE = "service outage"


def fault(kind, down_s=None, nodes=("worker-1",), **changes):
    down = None if down_s is None else Law.constant(down_s)
    return FaultPlan(0, kind, Law.constant(60.0), nodes, ("tor-1",), down, **changes)


CRASH = fault("agent-crash", 20.0)
DOWN = fault("node-down")


def restart(seconds, **changes):
    return GracefulRestartPlan(True, seconds, **changes)


def world(
    router=None, speaker=None, restart_s=None, long_lived_s=0, served=("worker-2",), prefixes=None, of=CRASH, **more
):
    """Three nodes; ``prefixes[node]`` are what it announces instead of its PodCIDR and the VIP."""
    given = None if restart_s is None else restart(restart_s, long_lived_s=long_lived_s)
    profile = instant(**(router or {}))
    plan = cluster(3, (profile,), steady(**({"open_exchange": Law.constant(0.5)} | (speaker or {}))), restart=given,
                   agent_s=10.0, **more)  # fmt: skip
    backends = tuple(b for b in plan.services[0].backends if b.node in served)
    peerings = tuple(replace(p, prefixes=(prefixes or {}).get(p.node, p.prefixes)) for p in plan.peerings)
    return replace(plan, faults=(of,), peerings=peerings, services=(replace(plan.services[0], backends=backends),))


def forms(*args, **kwargs):
    return {form.label: form for form in closed_forms(world(*args, **kwargs))}


def seconds(form):
    return pytest.approx((form.low_s, form.high_s, form.fib_s))


def test_a_restarted_agent_announces_after_its_death_its_start_its_dial_and_its_open():
    found = forms()[POD]
    assert seconds(found) == (32.5, 32.5, 0.0)
    assert found.text == "down 20, + startup 10, + dial 2, + open 0.5"
    assert forms(of=fault("agent-restart", 20.0))[POD].high_s == 32.5


@pytest.mark.parametrize(("restart_s", "left_s"), [(None, 34.0 - 1.5), (31, 34.0 - 31), (33, 1.0), (120, 0.0)])
def test_a_speaker_that_waits_for_end_of_rib_does_so_where_graceful_restart_is_negotiated(restart_s, left_s):
    # 20 + 10 + 2 + 0.5, and 1.5 more for the router's End-of-RIB; the restart time hides that much
    found = forms({"end_of_rib": Law.constant(1.5)}, {"waits_for_end_of_rib": True}, restart_s=restart_s)[POD]
    assert seconds(found) == (left_s, left_s, 0.0)
    assert (", + End-of-RIB 1.5" in found.text) == (restart_s is not None)
    assert found.text.endswith(f", - restart {restart_s}") == (restart_s is not None)


def test_a_long_lived_stale_time_hides_as_much_again():
    # 32.5 - 20 - 5; without the router's help only the 20
    helps = {"long_lived": True}
    assert seconds(forms(helps, restart_s=20, long_lived_s=5)[POD]) == (7.5, 7.5, 0.0)
    assert seconds(forms(restart_s=20, long_lived_s=5)[POD]) == (12.5, 12.5, 0.0)
    assert forms(helps, restart_s=20, long_lived_s=5)[POD].text.endswith(", - restart 20, - long-lived 5")
    # where the loss is not one that the router keeps, neither hides anything
    never = helps | {"keeps_stale": replace(instant().keeps_stale, tcp_closed="never")}
    assert seconds(forms(never, restart_s=20, long_lived_s=5)[POD]) == (32.5, 32.5, 0.0)


def test_the_kernel_may_be_late_at_both_ends_and_with_each_prefix():
    # two prefixes of 10 ms: 0.4 + 0.02 after the announcement, and 0.3 + 0.02 late with the removal at the beginning
    late = {"fib_install": Law.constant(0.4), "fib_withdraw": Law.constant(0.3), "fib_per_prefix_s": 0.01}
    assert seconds(forms(late)[POD]) == (32.18, 32.5, 0.42)


def idle(**changes):
    return {"idle_after": replace(instant().idle_after, **{k: Law.constant(v) for k, v in changes.items()})}


def test_no_form_where_the_router_may_still_refuse_the_first_dial():
    # the first dial comes 32 s after the loss
    assert POD in forms(idle(tcp_closed=31.9))
    assert POD not in forms(idle(tcp_closed=32.0))
    # the wait after the end of the restart time counts once the dial may be later than that
    assert POD in forms(idle(restart_expired=0.5), restart_s=32)
    assert POD not in forms(idle(restart_expired=0.5), restart_s=31)
    assert POD in forms(idle(restart_expired=0.0), restart_s=31)
    assert POD in forms(idle(restart_expired=0.5))  # no restart time, so no end of it


def test_no_form_where_a_restart_may_last_for_ever():
    law = Law.parse({"exponential": {"mean": "10s"}})
    assert law.support[1] == float("inf")
    assert POD not in {form.label for form in closed_forms(replace(world(), agent_startup=law))}


def test_no_pod_form_for_what_the_node_does_not_announce_or_an_agent_that_stays_down():
    assert POD not in forms(prefixes={"worker-1": (VIP,)})
    assert POD not in forms(of=fault("agent-crash"))
    assert POD not in forms(of=fault("peer-shutdown", 20.0))
    bare = world()
    nodes = (NodePlan("worker-1", ("10.0.0.1",), ()), *bare.nodes[1:])
    assert POD not in {form.label for form in closed_forms(replace(bare, nodes=nodes))}


def test_a_dead_node_in_words():
    # the hold time, and with a helper the restart time; the kernel comes last
    late = {"fib_hold": Law.constant(0.25), "fib_expire": Law.constant(0.5)}
    plain, kept = forms(late, of=DOWN), forms(late, of=DOWN, restart_s=100)
    assert plain["detection"].text == "hold 90 - keepalive 30 .. hold 90"
    assert seconds(plain["detection"]) == (60.0, 90.0, 0.0)
    assert seconds(plain[SERVICE]) == (60.0, 90.0, 0.25)
    assert seconds(kept[SERVICE]) == (160.0, 190.0, 0.5)
    assert kept[SERVICE].text == "hold 90 - keepalive 30 .. hold 90, + restart 100"


def test_a_service_that_never_pointed_to_the_node_loses_nothing():
    found = forms({"fib_hold": Law.constant(0.25)}, of=DOWN, prefixes={"worker-1": (pod_cidr(1),)})[SERVICE]
    assert (found.low_s, found.high_s) == (0.0, 0.0)
    assert found.text == "no service prefix points there"


def test_a_living_node_in_words():
    found = forms()[SERVICE]
    assert (seconds(found), found.text) == ((0.0, 0.0, 0.0), "the node forwards on, others take over")


def test_no_service_form_without_services_or_without_others_that_announce_them():
    assert SERVICE in forms(prefixes={"worker-2": (VIP,), "worker-3": (VIP,)})
    assert SERVICE not in forms(prefixes={"worker-2": (pod_cidr(2),), "worker-3": (pod_cidr(3),)})
    assert SERVICE not in {form.label for form in closed_forms(replace(world(), services=()))}


@pytest.mark.parametrize(("hold_s", "window"), [(9, (51.0, 51.0)), (60, (51.0, 60.0)), (90, (60.0, 90.0))])
def test_dead_backends_are_picked_until_kubernetes_notices_the_node(hold_s, window):
    # 50 s of grace and 1 s of propagation against hold - hold / 3 .. hold
    found = forms(of=DOWN, served=("worker-1", "worker-2"), timers=(hold_s, hold_s // 3))[SERVICE]
    assert seconds(found) == (*window, 0.0)


def test_packets_that_vanish_tell_kubernetes_nothing():
    found = forms(of=fault("link-loss"), served=("worker-1", "worker-2"), timers=(9, 3))[SERVICE]
    assert seconds(found) == (6.0, 9.0, 0.0)


@pytest.mark.parametrize(
    ("hold_s", "window"),
    [
        (90, (3.0, 85.0, 0.0)),  # the entry fails in 0 + 3 .. 30 + 50 + 3 + 2, before the hold timer
        (84, (3.0, 84.0, 1.0)),  # the kernel may be 3 s late, but only 1 s later than the entry
        (80, (3.0, 80.0, 3.0)),
    ],
)
def test_a_failed_neighbour_entry_ends_the_outage_before_bgp_does(hold_s, window):
    checks = {
        "neighbour_check": True, "fib_hold": Law.constant(3.0), "hold_s": hold_s, "keepalive_third": "if_lowered",
    }  # fmt: skip
    assert seconds(forms(checks, of=DOWN, timers=(hold_s, 30))[SERVICE]) == window


def test_a_neighbour_entry_of_a_node_without_services_has_nothing_to_end():
    checks = {"neighbour_check": True, "fib_hold": Law.constant(3.0)}
    found = forms(checks, of=DOWN, prefixes={"worker-1": (pod_cidr(1),)})[SERVICE]
    assert (found.low_s, found.high_s) == (0.0, 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"fabric": (SpinePlan("spine-1", ("tor-1",), EcmpPlan("hash-threshold")),)},
        {"cold_start": True},
        {"faults": (replace(DOWN, times=2),)},
        {"faults": (replace(DOWN, nodes=("worker-1", "worker-2")),)},
        {"faults": (replace(DOWN, nodes=("worker-1", "worker-2", "worker-3"), random_nodes=2),)},
        {"faults": ()},
    ],
)
def test_a_world_beyond_one_fault_of_one_node_at_one_router_has_none(changes):
    plan = world(of=DOWN)
    assert len(closed_forms(plan)) == 2
    assert closed_forms(replace(plan, **changes)) == ()


def test_one_of_several_random_nodes_has_the_forms_that_are_the_same_for_each():
    drawn = replace(CRASH, nodes=("worker-1", "worker-2", "worker-3"), random_nodes=1)
    labels = [form.label for form in closed_forms(world(of=drawn))]
    assert labels == ["detection", SERVICE]  # each node has a PodCIDR of its own


def test_the_kernels_share_of_the_range_is_above_it():
    form = forms({"fib_hold": Law.constant(0.5)}, of=DOWN)[SERVICE]  # 60 .. 90 s, 0.5 s of the kernel, 10 ms
    assert form.agrees([Value(59.995), Value(90.505)])
    assert not form.agrees([Value(90.52)])
    assert not form.agrees([Value(59.98)])
