"""Ten facts about Cilium's BGP control plane most likely to be got wrong: one test each, from its source and issues.

H hold time, K keepalive interval, R restart time; times in seconds after the fault. ``eTP`` is externalTrafficPolicy.
"""

from dataclasses import replace

import numpy as np
import pytest
from belief_worlds import holes, out_s, with_clients
from worlds import VIP, cluster, fault, fib_log, first_lost, instant, play, pod_cidr, session_log, steady

from simbgp.model import simulate
from simbgp.profiles import speaker
from simbgp.scenario import draw, loads
from simbgp.scenario.plan import GracefulRestartPlan, LoadBalancerPlan
from simbgp.timeline import SessionChanged, ViewChanged
from simbgp.traffic import maglev_table, outcomes

POD = pod_cidr(1)
OFF = GracefulRestartPlan(False)
MANY = 20_000
each = pytest.mark.parametrize


def gr(restart_s=120, **more):
    return GracefulRestartPlan(True, restart_s, **more)


def why(log, side="router"):
    """Why worker-1's session ended, as that end tells."""
    return [f.reason for f in log.of(SessionChanged) if f.side == side and f.from_state == "established"]


def balanced(algorithm, mode, release="1.20", restart=OFF, **more):
    """Four nodes with clients behind a router without latency."""
    plan = cluster(nodes=4, routers=(instant("rfc8538"),), speaker=steady(release), restart=restart, **more)
    return with_clients(replace(plan, load_balancer=LoadBalancerPlan(algorithm, mode, table_size=251)), MANY)


# 1


@each("release", ["1.18", "1.19", "1.20"])
@each("profile", ["frr-8.4", "bird-2.0", "gobgp-3.10", "openbgpd-7.7", "rfc4724", "rfc8538", "junos"])
def test_unlabelling_a_node_flushes_its_routes_at_once_on_every_kind_of_peer(release, profile):
    """Belief: a peer that supports RFC 8538 waits for the stale timer. Truth: Cease 6/3, a Hard Reset where N was
    negotiated: flushed as soon as operator and agent have acted, within 1 s (GoBGP from 3.26; cilium.md §1.2, §10.1).
    """
    plan = cluster(routers=(instant(profile, helper=True),), speaker=speaker(release), restart=gr())
    assert 0 <= out_s(play(plan, fault("unlabel")), POD) <= 1.0


def test_the_guide_was_right_about_speakers_before_gobgp_3_26():
    """Belief: what holds today always did. Truth: an old GoBGP sends plain 6/3, and a peer with N keeps the routes for
    the restart time: 20.1 s of 20 measured (cilium.md §1.2, §10.1)."""
    plan = cluster(routers=(instant("frr-8.4"),), speaker=steady("gobgp-3.10"), restart=gr(20))
    assert fib_log(play(plan, fault("unlabel")), POD) == [(20, "withdrawn")]


# 2


@each(
    ("release", "restart", "told"),
    [
        ("1.18", gr(), "TCP connection closed"),
        ("1.20", gr(), "TCP connection closed"),
        ("1.19", OFF, "TCP connection closed"),
        ("1.20", OFF, "NOTIFICATION 6/3 peer de-configured"),
    ],
)
def test_a_stopping_agent_tells_a_peer_with_graceful_restart_nothing(release, restart, told):
    """Belief: SIGTERM sends a Cease. Truth: up to 1.19 nobody hears anything but the close of TCP; 1.20 sends Cease
    6/3, and only to peers without graceful restart (cilium/cilium#39835, #45952; cilium.md §1.1, §10.2)."""
    plan = cluster(speaker=steady(release), restart=restart)
    assert why(play(plan, fault("agent-restart", 10))) == [told]


# 3


@each(("release", "wait_s"), [("1.19", 0), ("1.20", 360)])
def test_a_dead_router_keeps_a_first_boot_silent_towards_the_live_one(release, wait_s):
    """Belief: an Established session carries routes. Truth: with R set, on the very first boot too, Cilium 1.20
    announces nothing for 360 s while a configured router is missing; 1.19 does (GoBGP commit 748e233f; cilium.md §1.5,
    §10.3)."""
    routers = (instant("rfc8538"), instant("rfc8538"))
    plan = cluster(nodes=1, routers=routers, speaker=steady(release), restart=gr(), cold=True)
    log = play(plan, fault("link-loss", at_s=0, routers=("tor-2",)))
    assert fib_log(log, POD) == [(2 + wait_s - 100, "added")]


# 4


@each(("release", "low", "high"), [("1.19", 1, 2), ("1.20", 0.75, 1)])
def test_one_dial_without_an_answer_outlasts_the_restart_time(release, low, high):
    """Belief: the agent is back at once, or some seconds later. Truth: the dial times out after 119 s, SYNs at + 35 and
    + 67 among them, and the next follows after U[120, 240] (1.19) or U[90, 120] (1.20): the link, dark for 80 s only,
    is used at 2 + 119 + retry, beyond R = 120 (GoBGP fsm.go connectLoop; cilium.md §1.6, §10.4)."""
    plan = cluster(routers=(instant("rfc8538"),), speaker=steady(release), restart=gr())
    for run in range(20):
        log = play(plan, fault("agent-crash", 0), fault("link-loss", 80), run=run)
        (left_s, _), (back_s, _) = fib_log(log, POD)
        assert left_s == 120
        assert 2 + 119 + 120 * low <= back_s <= 2 + 119 + 120 * high


# 5


@each(("mode", "reset"), [("snat", 1 / 2), ("dsr", 0)])
def test_maglev_saves_connections_under_dsr_and_none_under_snat(mode, reset):
    """Belief: Maglev keeps connections alive when they change nodes. Truth: with SNAT the new node's address makes
    another connection: all that move are reset, 1/2 when the first of 4 nodes leaves (cilium.md §4.2, §10.5)."""
    plan = balanced("maglev", mode)
    row = outcomes(plan, play(plan, fault("agent-crash")), 1, 0)[0]
    assert row.moved == pytest.approx(MANY / 2, abs=4 * 71)
    assert row.reset == pytest.approx(reset * MANY, abs=4 * 71)


def test_maglev_may_move_more_than_one_percent_of_the_others():
    """Belief: a table of 100 x N slots moves at most 1 % when a backend leaves. Truth: a rule of thumb: 1.29 % of the
    survivors' slots with 100 backends in 16381 slots, 4 to 4.8 % in 251 (measured; cilium.md §4.2, §10.5)."""
    keys = [f"[10.0.0.{i}:8080/TCP,State:active]" for i in range(100)]
    for size, low, high in ((16381, 0.002, 0.02), (251, 0.01, 0.08)):
        before, after = maglev_table(keys, size), maglev_table(keys[:-1], size)
        kept = before != 99
        assert low < np.mean(before[kept] != after[kept]) < high


# 6


@each(("release", "ends"), [("1.19", "timed_out"), ("1.20", "reset")])
def test_a_broken_dsr_client_hangs_before_1_20_and_is_reset_since(release, ends):
    """Belief: a broken connection sees an RST. Truth: before cilium/cilium#47529 the RST of a DSR backend leaves with
    the pod's address and the client hangs; of those that move 1 - 1/4 meet another of 4 backends (cilium.md §4.3,
    §10.6)."""
    plan = balanced("random", "dsr", release)
    row = outcomes(plan, play(plan, fault("agent-crash")), 1, 0)[0]
    assert getattr(row, ends) == pytest.approx(MANY * 3 / 8, abs=4 * 69)
    assert row.reset + row.timed_out == getattr(row, ends)


# 7, 8

DRAIN = """\
name: drain
description: Four nodes with a pod each; the first is drained and nothing else.
horizon: 200s
cluster: {cilium: "1.20", nodes: 4, gracefulRestart: {enabled: true, restartTimeSeconds: 120}}
routers: [{name: tor-1, profile: rfc8538}]
services: [{name: web, vip: 192.0.2.10, externalTrafficPolicy: Local, backends: 4}]
faults: [{at: 100s, kind: node-drain, node: worker-1, order: [drain], terminationGracePeriodSeconds: 30}]
"""


def drained(release, policy):
    text = DRAIN.replace('"1.20"', f'"{release}"').replace("Local", policy)
    return simulate(draw(loads(text).plan(), 1, 0))


@each(("release", "low_s", "high_s"), [("1.19", 30, 32), ("1.20", 0, 2)])
def test_a_local_services_route_leaves_when_its_pod_is_told_to_go_and_not_when_it_has_gone(release, low_s, high_s):
    """Belief: a draining pod finishes its connections. Truth: the route of a Local service leaves when its last backend
    is Terminating, about 1 s after the eviction, though the pod has its grace of 30 s; up to 1.19 backends in any state
    counted (cilium/cilium#32536, #45276; cilium.md §3, §10.7)."""
    ((left_s, event),) = fib_log(drained(release, "Local"), VIP)
    assert event == "withdrawn"
    assert low_s < left_s <= high_s


def test_a_drain_means_nothing_to_bgp():
    """Belief: a drained node attracts no traffic. Truth: the control plane does not look at cordon, drain or taints: a
    Cluster service and the PodCIDR are announced as before, pods or none (cilium.md §3, §10.8)."""
    log = drained("1.20", "Cluster")
    assert [fib_log(log, prefix) for prefix in (VIP, "10.244.1.0/24")] == [[], []]
    assert session_log(log) == []


def test_a_label_can_only_be_removed_by_a_living_agent():
    """Belief: unlabelling drains a sick node. Truth: it works through operator and agent; with the agent dead the
    routes stay for the restart time from the crash, 120 s (cilium.md §3, §10.8)."""
    plan = cluster(restart=gr(), speaker=steady("1.20"))
    log = play(plan, fault("agent-crash"), fault("unlabel", at_s=105))
    assert fib_log(log, POD) == [(120, "withdrawn")]


def test_a_node_that_is_not_ready_goes_on_announcing():
    """Belief: NotReady withdraws a node. Truth: BGP does not know it: of a node whose power is lost only the hold timer
    and the restart time speak, though it is NotReady after 50 s: out at 180 to 210 (cilium.md §3, §10.8)."""
    plan = cluster(nodes=2, restart=gr(), grace_s=50)
    log = play(plan, fault("node-down"))
    assert min(fact.time_us for fact in log.of(ViewChanged)) / 1e6 - 100 <= 60
    assert 180 < out_s(log, VIP) <= 210


# 9


@each(("timers", "router_hold_s", "low_s"), [((90, 10), 180, 80), ((90, 10), 60, 40), ((90, 30), 180, 60)])
def test_keepalive_is_a_third_of_the_hold_time_only_where_the_peer_lowered_it(timers, router_hold_s, low_s):
    """Belief: K is H / 3. Truth: GoBGP keeps the configured interval unless the peer's hold time is below its own: 10 s
    of 90 detects in (80, 90], a router's 60 makes it 20: (40, 60] (GoBGP fsm.go; cilium.md §1.6, §10.9)."""
    plan = cluster(timers=timers, routers=(instant("rfc4724", hold_s=router_hold_s),))
    seen = [first_lost(play(plan, fault("node-down"), run=run)) for run in range(60)]
    high_s = min(timers[0], router_hold_s)
    assert low_s < min(seen) < low_s + 0.2 * (high_s - low_s)
    assert high_s - 0.2 * (high_s - low_s) < max(seen) <= high_s


@each(("restart", "changes"), [(gr(), []), (gr(notification=False), [0, 7]), (OFF, [0, 7])])
def test_editing_a_timer_resets_the_session_and_only_a_peer_with_n_keeps_the_routes(restart, changes):
    """Belief: new timers apply from the next session on. Truth: the agent resets the peer with Cease 6/4, idles 5 s and
    dials (2 here); 6/4 is never a Hard Reset, so a peer with N keeps the routes (Cilium pkg/bgp/gobgp/peer.go;
    cilium.md §1.2, §10.9)."""
    plan = cluster(speaker=steady("1.20"), routers=(instant("rfc8538"),), restart=restart)
    log = play(plan, fault("session-reset"))
    assert why(log) == ["NOTIFICATION 6/4 administrative reset"]
    assert session_log(log) == [(0, "down"), (7, "up")]
    assert [time_s for time_s, _ in fib_log(log, POD)] == changes


# 10


def test_bgp_and_endpoints_forget_a_dead_node_by_two_clocks():
    """Belief: when BGP has withdrawn the node, all is well. Truth: other nodes pick its pods until it is NotReady, 50 s
    since Kubernetes 1.32, whatever BGP does: with H 9 the router is done by 9 s, and a quarter of the traffic still
    finds a dead pod until 51 (cilium.md §7, §10.10)."""
    plan = cluster(nodes=4, timers=(9, 3), routers=(instant("rfc4724"),), grace_s=50, propagation_s=1)
    log = play(plan, fault("node-down"))
    found = holes(plan, log, VIP)
    assert [(cause, end_s) for cause, _, end_s in found][-1] == ("dead-backend", 51)
    assert found[0][0] == "dead-next-hop"
    assert found[0][2] == out_s(log, VIP) <= 9


def test_a_rebooted_node_under_dsr_gives_a_flow_its_old_backend_by_luck_alone():
    """Belief: random load balancing breaks a connection only when it moves to another node.
    Truth: the backend is drawn per conntrack entry (cilium.md §4.2), and a reboot loses the entries. Of 4 nodes with
    a backend each one reboots: the connections of its own pod break (1/4), and of the other 3/4 those that entered
    through it (1/4) break unless the new draw is the old one (3/4 of them): 1/4 + 3/4 * 1/4 * 3/4 = 0.390625."""
    restart = GracefulRestartPlan(True, 120)
    plan = cluster(nodes=4, speaker=steady("1.20"), restart=restart, node_s=0, agent_s=5, horizon_s=200)
    plan = replace(with_clients(plan, 20_000), load_balancer=LoadBalancerPlan("random", "dsr"))
    whole = outcomes(plan, play(plan, fault("node-down", 10)), seed=1, run=0)[0]
    assert whole.reset / whole.total == pytest.approx(0.390625, abs=4 * (0.39 * 0.61 / 20_000) ** 0.5)
