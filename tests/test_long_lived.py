"""Long-lived graceful restart (RFC 9494). V is announced by all nodes, P by worker-1 alone; seconds after the fault.

R, the restart time, is 15 and LLST, the long-lived stale time, 100 unless said.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from belief_worlds import holes, play_edited, reconfigured
from scenario_texts import small
from worlds import VIP, cluster, fault, fib_log, first_lost, instant, play, pod_cidr, session_log, since_fault, steady

import simbgp
from simbgp.measure import closed_forms
from simbgp.measure.session_loss import SessionLoss
from simbgp.model.world import World
from simbgp.profiles import Law, router
from simbgp.scenario import ScenarioError
from simbgp.scenario.plan import FaultPlan, GracefulRestartPlan, Trial
from simbgp.scenario.tape import Tape
from simbgp.study.alternatives import other_ways
from simbgp.timeline import BrokenInvariantError, RouteChanged, SessionChanged

P, V = pod_cidr(1), VIP
GR = GracefulRestartPlan(True, 15)
LONG = GracefulRestartPlan(True, 15, long_lived_s=100)
each = pytest.mark.parametrize


def helper(name="rfc8538", **changes):
    return instant(name, **({"long_lived": True, "helper": True} | changes))


def world(profile=None, restart=LONG, **more):
    return cluster(routers=(profile or helper(),), restart=restart, **more)


def of(log, node, prefix=V):
    return [
        (since_fault(f.time_us), f.event)
        for f in log.of(RouteChanged)
        if (f.node, f.prefix) == (node, prefix) and f.event in ("added", "withdrawn")
    ]


def muted(world):
    world.node("worker-1").speaker.established = lambda session: None


# a node that never returns


def test_a_prefix_of_others_leaves_at_d_plus_r_and_one_of_its_own_stays_for_llst_more():
    """RFC 9494 §4.2: the sum of both times; §4.3: least preferred, so V goes to the other node at D + R."""
    log = play(world(), fault("node-down"))
    lost_s = first_lost(log)
    assert fib_log(log, V) == [(pytest.approx(lost_s + 15, abs=1e-6), "withdrawn")]
    assert fib_log(log, P) == [(pytest.approx(lost_s + 15 + 100, abs=1e-6), "withdrawn")]


def test_a_path_is_marked_stale_once():
    """Stale at 0; what happens at R is seen in the FIB alone."""
    log = play(world(), fault("agent-crash"))
    events = [(since_fault(f.time_us), f.event) for f in log.of(RouteChanged) if f.prefix == P]
    assert events == [(0, "stale"), (115, "withdrawn")]


@each(
    ("profile", "restart"),
    [
        (helper(long_lived=False), LONG),
        (helper(), GR),
        (helper("frr-8.4", long_lived=False), LONG),  # min(peer's, own 0): FRR bgp_capability_llgr
    ],
)
def test_where_one_end_does_not_want_it_all_leaves_at_r(profile, restart):
    log = play(world(profile, restart), fault("agent-crash"))
    assert fib_log(log, V) == fib_log(log, P) == [(15, "withdrawn")]


@each(("stale_s", "out"), [(14, 14), (15, 115), (16, 115)])
def test_a_stale_path_time_below_r_leaves_nothing_to_keep_longer(stale_s, out):
    """RFC 8538 §4.1's timer deletes; after R it has nothing to say, for the long-lived one is the bound."""
    assert fib_log(play(world(helper(stale_path_s=stale_s)), fault("agent-crash")), P) == [(out, "withdrawn")]


def test_the_traffic_of_an_own_prefix_falls_into_the_dead_node_for_r_and_llst():
    """The price: P is no route after 115 s without, dead for D + 115 s with."""
    plan = world()
    log = play(plan, fault("node-down"))
    dead = next(hole for hole in holes(plan, log, P) if hole[0] == "dead-next-hop")
    assert dead[1:] == (0, pytest.approx(first_lost(log) + 115, abs=1e-6))


# the return


@each(
    ("back_s", "p", "v"),
    [
        (112.999999, [], [(15, "withdrawn"), (114.999999, "added")]),
        (113.0, [], [(15, "withdrawn"), (115, "added")]),
        (113.000001, [(115, "withdrawn"), (115.000001, "added")], [(15, "withdrawn"), (115.000001, "added")]),
        (12.999999, [], []),
    ],
)
def test_a_return_refreshes_until_llst_is_over(back_s, p, v):
    """The dial follows 2 s after the container; 15 + 100 = 115."""
    log = play(world(), fault("agent-crash", back_s))
    assert fib_log(log, P) == p
    assert fib_log(log, V) == v


def test_end_of_rib_ends_what_was_not_announced_again():
    """At 22 worker-1 is back, and a service that only it announces is not: kept over R, out with End-of-RIB."""
    own = "192.0.2.77/32"
    plan = world()
    plan = replace(plan, peerings=(replace(plan.peerings[0], prefixes=(P, V, own)), *plan.peerings[1:]))

    def withheld(world):
        world.sessions_of("worker-1")[0].withheld[own] = None

    log = play_edited(plan, {18: withheld}, fault("agent-crash", 20))
    events = [(since_fault(f.time_us), f.event) for f in log.of(RouteChanged) if f.prefix == own]
    assert events == [(0, "stale"), (22, "withdrawn")]
    assert fib_log(log, V) == [(15, "withdrawn"), (22, "added")]


def test_a_return_without_the_capability_ends_it_at_once():
    """RFC 9494 §4.2: stale routes go at re-establishment; they come back with the UPDATEs, 10 s later here."""
    late = steady("gobgp-3.10")
    profile = helper(end_of_rib=Law.constant(10.0))
    log = play_edited(world(profile, speaker=late), {18: reconfigured(restart=GR)}, fault("agent-crash", 20))
    assert fib_log(log, P) == [(22, "withdrawn"), (32, "added")]


@each(("until", "out"), [("end_of_rib", [(115, "withdrawn")]), ("established", [])])
def test_the_timer_runs_on_until_end_of_rib_and_in_frr_until_the_return(until, out):
    """RFC 9494 §4.2; FRR 0d4532cd stops it with the session's return at 32. The node says nothing until the end."""
    log = play_edited(world(helper(long_lived_until=until)), {31: muted}, fault("agent-crash", 30))
    assert session_log(log)[-1] == (32, "up")
    assert fib_log(log, P) == out


@each(
    ("name", "changes", "out"),
    [
        ("bird-2.0", {}, 115),  # bgp_handle_graceful_restart: the running timer is left alone
        ("rfc8538", {}, 115),  # RFC 9494 §4.2: not updated until the session is in sync
        ("frr-8.4", {}, 40),  # stopped at 32, and a second loss purges
        ("frr-8.4", {"second_loss": "rearm"}, 155),  # 40 + 15 + 100
    ],
)
def test_a_second_loss_before_end_of_rib_does_not_restart_the_timer(name, changes, out):
    """Crash at 0, muted return at 32, crash again at 40."""
    plan = world(helper(name, **changes))
    log = play_edited(plan, {31: muted}, fault("agent-crash", 30), fault("agent-crash", at_s=140))
    assert fib_log(log, P) == [(out, "withdrawn")]
    assert fib_log(log, V) == [(15, "withdrawn")]


def test_a_second_loss_after_end_of_rib_starts_anew():
    """In sync at 32, lost at 40: V at 40 + 15, P at 40 + 15 + 100."""
    log = play(world(), fault("agent-crash", 30), fault("agent-crash", at_s=140))
    assert fib_log(log, P) == [(155, "withdrawn")]
    assert fib_log(log, V) == [(15, "withdrawn"), (32, "added"), (55, "withdrawn")]


# other paths of the same prefix


def test_the_last_choice_is_taken_when_no_other_is_left_and_let_go_when_one_is_back():
    """worker-2 leaves by Hard Reset at 20 and is back at 42: V falls to worker-1's stale path from 20 to 42."""
    log = play(world(), fault("agent-crash"), fault("peer-shutdown", 20, at_s=120, node="worker-2"))
    assert of(log, "worker-2")[0] == (20, "withdrawn")
    back_s = of(log, "worker-2")[1][0]
    assert back_s > 40
    assert fib_log(log, V) == [(15, "withdrawn"), (20, "added"), (back_s, "withdrawn")]


def test_two_last_choices_are_equals():
    """worker-1 from 15, worker-2 from 20 + 15: then both, until 115 and 135."""
    log = play(world(), fault("agent-crash"), fault("agent-crash", at_s=120, node="worker-2"))
    assert of(log, "worker-1") == [(15, "withdrawn"), (35, "added"), (115, "withdrawn")]
    assert of(log, "worker-2") == [(135, "withdrawn")]


def test_of_two_last_choices_both_are_let_go_when_a_third_is_back():
    """worker-3 is gone from 5, unkept, to its return; the others are long-lived from 15."""
    plan = world(nodes=3)
    gone = fault("peer-shutdown", 50, at_s=105, node="worker-3")
    log = play(plan, fault("agent-crash"), fault("agent-crash", node="worker-2"), gone)
    back_s = of(log, "worker-3")[1][0]
    assert of(log, "worker-1") == of(log, "worker-2") == [(back_s, "withdrawn")]
    assert 55 < back_s < 115


def test_a_crashed_daemon_does_not_find_in_the_kernel_what_was_not_there():
    """V left the FIB at 15, so only P is there to be kept over the restart of the daemon at 30, 40 + 60 s."""
    profile = helper(fib_after_crash="kept", fib_kept_s=60.0)
    log = play(world(profile), fault("agent-crash"), fault("router-restart", 10, at_s=130))
    assert fib_log(log, V) == [(15, "withdrawn")]
    assert fib_log(log, P) == [(100, "withdrawn")]


def test_a_routers_host_takes_the_least_preferred_with_it():
    log = play(world(), fault("agent-crash"), fault("router-down", at_s=150))
    assert fib_log(log, P) == [(50, "withdrawn")]
    assert fib_log(log, V) == [(15, "withdrawn")]


# makes


@each(("restart", "kept"), [(GR, (0, 0)), (LONG, (15, 115))])
def test_bird_takes_hold_expiry_for_a_restart_once_rfc_9494_is_negotiated(restart, kept):
    """BIRD proto/bgp bgp_hold_timeout: graceful if llgr_ready; else the error flushes, N or not."""
    profile = instant("bird-2.0", hold_jitter=(1.0, 1.0))
    log = play(world(profile, restart), fault("node-down"))
    lost_s = first_lost(log)
    out = [fib_log(log, prefix) for prefix in (V, P)]
    assert out == [[(pytest.approx(lost_s + kept_s, abs=1e-6), "withdrawn")] for kept_s in kept]


@each(("restart", "states"), [(GR, ["idle"]), (LONG, ["idle", "active"])])
def test_bird_neither_notifies_nor_waits_after_such_an_expiry(restart, states):
    """bgp_hold_timeout closes and goes to idle, without the error's wait of 45 to 60 s."""
    profile = instant("bird-2.0", hold_jitter=(1.0, 1.0))
    log = play(world(profile, restart), fault("node-down"))
    lost_us = next(f.time_us for f in log.of(SessionChanged) if f.side == "router")
    here = [f.to_state for f in log.of(SessionChanged) if f.side == "router" and f.time_us == lost_us]
    assert here == states


@each(("long_lived", "p"), [(True, 105.6), (False, 5.6)])
def test_a_half_open_connection_begins_the_long_lived_time_of_a_gobgp_router_early(long_lived, p):
    """GoBGP server.go: any return to idle while the peer restarts. Half-open from 5.2, lost at 5.6, R 10."""
    profile = helper("gobgp-3.10", notification=True, long_lived=long_lived)
    slow = steady(dial_s=1.2, open_exchange=Law.constant(5.0))
    plan = world(profile, GracefulRestartPlan(True, 10, long_lived_s=100), speaker=slow)
    log = play(plan, fault("agent-crash", 4), fault("agent-crash", at_s=105.6))
    assert fib_log(log, V) == [(5.6, "withdrawn")]
    assert fib_log(log, P) == [(p, "withdrawn")]


@each(
    ("name", "helps"),
    [("frr-8.4", False), ("bird-2.0", True), ("gobgp-3.10", False), ("openbgpd-7.7", False), ("junos", True)],
)
def test_who_helps_by_default(name, helps):
    """FRR and GoBGP must be configured, OpenBGPD does not know it, BIRD is aware and Junos a receiver by default."""
    assert router(name).long_lived is helps


# invariants


def a_world():
    made = World(Trial(world(), 0, Tape(1, 0), ()))
    return made, made.sessions_of("worker-1")[0]


def test_a_long_lived_path_without_a_timer_or_a_session_is_refused():
    _, session = a_world()
    session.router.rib.paths[V] = "long_lived"
    session.router.rib.check(established=True)
    with pytest.raises(BrokenInvariantError):
        session.router.rib.check(established=False)


def test_a_least_preferred_next_hop_beside_a_better_one_is_refused():
    made, session = a_world()
    fib = made.router("tor-1").fib
    fib._least[V] = {"worker-1": (session, -1)}  # the FIB still holds it, and worker-2's
    with pytest.raises(BrokenInvariantError, match="to a better path"):
        fib.check()


# the scenario, its closed form and what is said of it

ON = "cluster.gracefulRestart={enabled: true, restartTimeSeconds: 120, longLived: {enabled: true%s}}"
HELPS = "routers.0.gracefulRestart.longLived=true"


@each(("written", "stale_s"), [("", 3600), (", staleTimeSeconds: 1", 1), (", staleTimeSeconds: 16777215", 16777215)])
def test_the_stale_time_is_24_bits_long(written, stale_s):
    plan = small("", ON % written, HELPS).plan()
    assert {peering.restart.long_lived_s for peering in plan.peerings} == {stale_s}
    assert plan.routers[0].profile.long_lived


@each("written", ["0", "16777216", "-1", "1h"])
def test_a_stale_time_beyond_24_bits_is_refused(written):
    with pytest.raises(ScenarioError, match=r"staleTimeSeconds.*allowed: an integer from 1 to 16777215"):
        small("", ON % f", staleTimeSeconds: {written}")


def test_it_is_off_unless_asked_for():
    assert small("", ON.replace(", longLived: {enabled: true%s}", "")).plan().peerings[0].restart.long_lived_s == 0
    off = ON.replace("longLived: {enabled: true%s}", "longLived: {enabled: false}")
    assert small("", off).plan().peerings[0].restart.long_lived_s == 0


@each(("release", "said"), [("1.20", True), ("gobgp-4.8", False)])
def test_the_result_says_that_cilium_cannot_be_configured_so(release, said):
    """cilium/cilium pkg/bgp/gobgp/conversions.go sets none; gobgpd itself can (long-lived-enabled)."""
    plan = small("", ON % "", HELPS, f"cluster.cilium={release}").plan()
    assert any("no Cilium release offers it (capability 71)" in text for text in plan.assumptions) is said


@each(
    ("overrides", "words"),
    [
        ((ON % "",), "tor-1 keeps no long-lived stale routes"),
        ((ON.replace("enabled: true, rest", "enabled: false, rest") % "",), "longLived does nothing while"),
        ((ON % "", HELPS), None),
        ((ON % "", "routers.0.profile=bird-2.0"), None),
        ((ON % "", "routers.0.profile=eos"), None),
    ],
)
def test_it_is_said_where_it_does_nothing(overrides, words):
    told = [warning for warning in small("", *overrides).warnings if "ong-lived" in warning or "longLived" in warning]
    assert (words is None and not told) or any(words in warning for warning in told)


@each(("overrides", "asked"), [((ON % "",), True), ((ON % "", HELPS), False), ((), False)])
def test_what_a_vendor_does_is_played_both_ways_only_where_a_speaker_offers_it(overrides, asked):
    """eos leaves LLGR open; what the scenario says of the router answers it."""
    ways = other_ways(small("", *overrides, "routers.0.profile=eos").plan())
    assert any(choice.switch.name == "LLGR" for way in ways for choice in way.choices) is asked


def loss(kind="node-down", profile=None, restart=LONG):
    plan = world(profile, restart)
    down = FaultPlan(0, kind, Law.constant(100.0), ("worker-1",), (), None)
    return SessionLoss(plan, down, plan.peerings[0], plan.routers[0].profile)


@each(
    ("profile", "restart", "kept", "alone"),
    [
        (helper(), LONG, 15, 115),
        (helper(), GR, 15, 15),
        (helper(long_lived=False), LONG, 15, 15),
        (helper(stale_path_s=14), LONG, 14, 14),
    ],
)
def test_the_closed_form_adds_llst_to_what_no_other_announces(profile, restart, kept, alone):
    """min(R, S), and LLST after R."""
    found = loss(profile=profile, restart=restart)
    assert (found.kept().high, found.kept_alone().high) == (kept, alone)


def test_what_must_be_waited_for_before_a_power_off_is_the_own_prefix():
    """unlabel with plain 6/3 (GoBGP 3.10) and N: V leaves after R = 15, P after R + LLST = 115."""
    plan = replace(world(), speaker=steady("gobgp-3.10"))
    fault_ = FaultPlan(0, "unlabel", Law.constant(100.0), ("worker-1",), (), None)

    def longest(prefixes):
        peering = replace(plan.peerings[0], prefixes=prefixes)
        return SessionLoss(plan, fault_, peering, plan.routers[0].profile).withdrawn().high

    assert longest((P, V)) - longest((V,)) == pytest.approx(100)


def test_bird_keeps_a_silent_loss_by_the_closed_form_too():
    bird = replace(router("bird-2.0"))
    assert loss(profile=bird).keeps()
    assert not loss(profile=bird, restart=GR).keeps()


SHIPPED = Path(__file__).parent.parent / "scenarios" / "agent-crash-llgr.yaml"
LONG_LIVED = "cluster.gracefulRestart.longLived."


def test_an_agent_away_for_ten_minutes_costs_its_own_prefix_nothing():
    result = simbgp.run(simbgp.load(SHIPPED), runs=40)
    assert result.verdict == "MET"
    assert result.windows.empty
    assert set(result.routes[result.routes.event == "withdrawn"].prefix) == {V}


@each(("stale_s", "low_s", "high_s"), [(0, 488, 493), (300, 188, 193), (480, 8, 13), (3600, 0, 0)])
def test_the_closed_form_of_an_agent_that_is_away_is_that_of_the_runs(stale_s, low_s, high_s):
    """600 down + 10 to start + 1.5 to 2 to dial - 120 - LLST, less up to 3 s by which an idle BIRD drops it later."""
    offered = {LONG_LIVED + "staleTimeSeconds": stale_s} if stale_s else {LONG_LIVED + "enabled": False}
    scenario = simbgp.load(SHIPPED).with_(**offered)
    form = next(form for form in closed_forms(scenario.plan()) if form.label == f"outage of {P}")
    assert low_s <= form.low_s <= form.high_s <= high_s
    assert ("- long-lived 300" in form.text) is (stale_s == 300)
    outage_s = simbgp.run(scenario, runs=40).blackhole_s(prefix=P).max
    assert form.low_s - 0.01 <= outage_s <= form.high_s + form.fib_s + 0.01
