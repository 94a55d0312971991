"""What operators believe of agents, nodes, routers and groups, and what is so: one test per belief.

H hold time, R restart time; times in seconds after the fault.
"""

from dataclasses import replace

import pytest
from belief_worlds import with_clients
from scenario_texts import small
from test_families import BOTH, TOR
from test_families import NODES as DUAL_NODE
from test_scenario_manifests import ADVERT, CLUSTER, PEER, SCENARIO, read
from worlds import (
    AT_S,
    VIP,
    cluster,
    direct,
    fault,
    fib_log,
    first_lost,
    instant,
    play,
    pod_cidr,
    session_log,
    since_fault,
    steady,
)

from simbgp.model import simulate
from simbgp.model.cluster.endpoints import Endpoint
from simbgp.model.world import World
from simbgp.profiles import Law, alternatives, router, speaker
from simbgp.scenario import draw
from simbgp.scenario.plan import EcmpPlan, GracefulRestartPlan, Trial
from simbgp.scenario.tape import Tape
from simbgp.timeline import RouteChanged, SessionChanged
from simbgp.traffic import outcomes

POD = pod_cidr(1)
OFF = GracefulRestartPlan(False)
MANY = 20_000
each = pytest.mark.parametrize


def gr(restart_s=120, **more):
    return GracefulRestartPlan(True, restart_s, **more)


# the agent


@each("restart", [gr(20), OFF])
@each("release", ["1.15", "1.16", "1.17", "1.18", "1.19", "1.20"])
def test_a_stopping_agent_has_one_second_and_not_the_grace_of_a_pod(release, restart):
    """Belief: SIGTERM leaves the agent 30 s to withdraw and say goodbye. Truth: its DaemonSet has
    terminationGracePeriodSeconds 1, SIGKILL follows: every peer has lost the session within 1 s, and with graceful
    restart the routes go as after a crash, R after it (install/kubernetes/cilium README; cilium.md §1.1, §10.2)."""
    plan = cluster(speaker=steady(release), restart=restart)
    stopped, killed = (play(plan, fault(kind, 60)) for kind in ("agent-restart", "agent-crash"))
    assert 0 <= first_lost(stopped) <= 1
    assert fib_log(stopped, POD) == fib_log(killed, POD)
    assert fib_log(stopped, POD)[0] == (20 if restart.enabled else 0, "withdrawn")


@each("stalled", [True, False])
def test_a_crash_with_unread_data_is_graceful_as_one_without(stalled):
    """Belief: a killed process sends FIN, and a reset would end graceful restart. Truth: with unread data the kernel
    sends RST, here after a stall that left keepalives unread; either closes TCP, at once and without NOTIFICATION, so
    the routes stay for R = 20 (RFC 2525 §2.17, RFC 4724 §4.2; bgp.md §2.5, §6.10)."""
    before = [fault("stall", 100, at_s=AT_S - 35)] if stalled else []
    log = play(cluster(restart=gr(20)), *before, fault("agent-crash"))
    assert session_log(log) == [(0, "down")]
    assert fib_log(log, POD) == [(20, "withdrawn")]


@each(("release", "needs"), [("1.18", "any"), ("1.19", "any"), ("1.20", "active")])
def test_what_makes_a_local_route_is_a_listed_pod_up_to_1_19_and_a_ready_one_since(release, needs):
    """Belief: the route of a Local service stands for a ready pod. Truth: up to 1.19 a backend in any state counts, a
    pod with ready: false too, about 40 s seen; 1.20 counts active ones alone (cilium/cilium#45276; cilium.md §3,
    §10.7). The rule is asked itself: in a scenario a pod that fails is not listed any more."""
    plan = cluster(speaker=speaker(release))
    local = replace(plan.services[0], policy="Local")
    agent = World(Trial(plan, 0, Tape(1, 0), ())).node("worker-1").speaker
    assert speaker(release).local_route_needs == needs
    assert agent._may_announce(local, (Endpoint("web-1", "worker-1", "terminating"),)) is (needs == "any")
    assert agent._may_announce(local, (Endpoint("web-1", "worker-1"),))
    assert not agent._may_announce(local, (Endpoint("web-2", "worker-2"),))


@each(("release", "routable", "left"), [("1.20", True, []), ("1.20", False, [1]), ("1.18", False, [])])
def test_a_cluster_service_without_any_backend_is_announced_unless_a_flag_says_no(release, routable, left):
    """Belief: a service without endpoints has no route. Truth: enable-no-service-endpoints-routable is true by default
    and all nodes go on announcing; only where it is set to false do they withdraw, from 1.19 on (cilium/cilium#40717;
    cilium.md §3, §10.7)."""
    plan = cluster(speaker=steady(release, reconcile=Law.constant(0.0)))
    assert plan.routable_without_endpoints
    gone = fault("backends-down", options={"service": "web", "backends": ("web-1", "web-2")})
    log = play(replace(plan, routable_without_endpoints=routable), gone)
    assert [time_s for time_s, _ in fib_log(log, VIP)] == left


# the node

MARKED = """\
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {bgp: enabled%s}}
spec: {podCIDR: 10.1.0.0/24%s}
"""


@each(
    ("labels", "spec"),
    [
        ("", ", unschedulable: true"),
        ("", ", taints: [{key: node.kubernetes.io/unreachable, effect: NoExecute}]"),
        ("", ", taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]"),
        (", node.kubernetes.io/exclude-from-external-load-balancers: ''", ""),
    ],
)
def test_cordon_taints_and_the_exclude_label_mean_nothing_to_bgp(tmp_path, labels, spec):
    """Belief: a cordoned, tainted or excluded node is no longer announced. Truth: Cilium's control plane reads none of
    them (MetalLB honours the label): it peers and announces as before; only the selector's label counts (cilium
    pkg/bgp/manager/reconciler; cilium.md §3, §10.8)."""

    def announced(node):
        plan = read(tmp_path, CLUSTER, PEER, ADVERT, node, scenario=SCENARIO).plan()
        return [(peering.node, peering.prefixes) for peering in plan.peerings]

    assert announced(MARKED % (labels, spec)) == announced(MARKED % ("", "")) == [("n1", ("10.1.0.0/24",))]
    assert announced((MARKED % (labels, spec)).replace("bgp: enabled", "bgp: disabled")) == []


def test_a_label_can_only_be_removed_with_a_living_operator():
    """Belief: kubectl label acts on BGP itself. Truth: the operator deletes the node's configuration: away for 50 s, it
    leaves routes and session as they are until then (operator/pkg/bgp/cluster.go; cilium.md §3, §4.4, §10.8)."""
    plan = cluster(speaker=steady("1.20", unlabel=Law.constant(0.0)), restart=gr())
    log = play(plan, fault("operator-down", 50.0), fault("unlabel", at_s=AT_S + 5))
    assert session_log(log) == [(50, "down")]
    assert fib_log(log, POD) == [(50, "withdrawn")]


@each(("rebooted", "low_s", "high_s"), [(True, 3 + 120, 3 + 240), (False, 7, 7)])
def test_a_dial_of_a_node_without_a_neighbour_entry_fails_after_three_seconds(rebooted, low_s, high_s):
    """Belief: a dial into silence waits for the router. Truth: a rebooted node has no neighbour entry for it, connect()
    fails after 3 s, and the retry follows U[120, 240] later; with the entry the SYN repeated at 7 s is in time for a
    link back at 5.5 (GoBGP 3.36: 187 [143-237] against 33 s; lab-compound.md §0 rule 8, §9)."""
    plan = cluster(speaker=steady(dial_s=2.0, retry_factor=(1.0, 2.0)), node_s=0.0)
    # the dial is at 2: dark from 1.5 to 7.5, so 5.5 s after it
    down = fault("node-down", 0) if rebooted else fault("agent-crash", 0)
    log = play(plan, down, fault("link-loss", 6.0, at_s=AT_S + 1.5))
    back_s = next(time_s for time_s, what in session_log(log) if what == "up")
    assert low_s <= back_s - 2 <= high_s + 0.1


def test_by_default_a_cluster_balances_at_random_and_has_no_bfd():
    """Belief: Cilium spreads by Maglev, and BFD finds a dead node in a second. Truth: random is the default, Maglev is
    opt-in, and no release has BFD: the hold timer finds it, 60 to 90 s (pkg/loadbalancer/config.go; cilium.md §4.1,
    §10.10)."""
    scenario = small("faults: [{at: 100s, kind: node-down, node: worker-1}]\n")
    plan = scenario.plan()
    assert plan.load_balancer.algorithm == "random"
    assert plan.routers[0].bfd is None
    assert 60 < first_lost(simulate(draw(plan, 1, 0))) <= 90


# the router


@each("name", ["frr-8.4", "frr-10"])
def test_frr_flushes_at_a_hard_reset_in_spite_of_its_known_race(name):
    """Belief: FRR up to 10.6 keeps the routes after a Hard Reset (FRR #21822). Truth: 9 of 9 on 8.4.4 flushed in 0.1 s:
    a race of close and data that is taken not to happen, and frr-10 says so (November 2026; bgp.md §3.3, §6.4)."""
    plan = cluster(speaker=steady("gobgp-3.36"), routers=(instant(name),), restart=gr(20))
    assert fib_log(play(plan, fault("unlabel")), POD) == [(0, "withdrawn")]
    assert router(name).citations["keeps_stale.hard_reset"].value == "never"
    assert any("#21822" in text for text in router("frr-10").unknowns)


@each(("label", "low_s", "high_s"), [("static", 0, 0), ("dynamic", 60, 90)])
def test_a_router_watches_the_link_of_its_static_peers_alone(label, low_s, high_s):
    """Belief: fast fallover covers every peer on a port. Truth: dynamic (listen-range) peers are multihop to FRR, which
    does not watch their link: H decides; SONiC's profile plays both (sonic-buildimage 086b03bd; bgp.md §3.2, §6.6)."""
    ways = {text: way for text, way in alternatives(router("sonic")) if "preserve" not in text and "kept" not in text}
    chosen = next(way for way in ways.values() if way.fast_fallover is (label == "static"))
    log = play(direct(cluster(routers=(chosen,))), fault("link-down"))
    assert low_s <= first_lost(log) <= high_s


@each("name", ["gobgp-3.10", "gobgp-3.36", "gobgp-4.8"])
def test_a_router_with_one_family_alone_gets_its_routes_at_once(tmp_path, name):
    """Belief: a dual-stack speaker with graceful restart is silent for its deferral time, 360 s, towards a router on
    which only IPv4 is active (cilium/cilium#30367). Truth: not seen with 3.10, 3.36 or 4.8 facing FRR: the first route
    0.06 s after Established, 6 of 6; 3.10 waits for FRR's End-of-RIB, 2.1 s at most (bgp.md §3.1, lab-compound.md §8).
    """
    text = TOR % ", families: [ipv4]" + "faults: [{at: 100s, kind: agent-crash, node: n1, downFor: 60s}]\n"
    peer = BOTH + "  gracefulRestart: {enabled: true, restartTimeSeconds: 20}\n"
    told = (f"cluster.cilium={name}",)
    plan = read(tmp_path, CLUSTER, peer, ADVERT, DUAL_NODE, scenario=text, overrides=told).plan()
    for run in range(20):
        log = simulate(draw(plan, 1, run))
        routes = [f for f in log.of(RouteChanged) if f.event == "added"]
        assert {f.prefix for f in routes} == {"10.1.0.0/24"}
        up_s = next(since_fault_of(log))
        assert 0 < since_fault(routes[0].time_us) - up_s < (2.4 if name == "gobgp-3.10" else 0.2)


def since_fault_of(log):
    """When n1's session came up at the router."""
    return (
        since_fault(f.time_us) for f in log.of(SessionChanged) if f.side == "router" and f.to_state == "established"
    )


# the group


@each(
    ("back_s", "on_change", "low", "high"),
    [
        (None, "replace", 1 / 4, 1 / 4),
        (30, "replace", 1 / 4, 1 / 4),
        (None, "new-group", 0.5, 1.0),
    ],
)
def test_a_resilient_group_moves_the_flows_of_the_lost_node_once_and_none_back(back_s, on_change, low, high):
    """Belief: resilient hashing gives a returned node its flows again. Truth: removal moves 1/N; busy buckets are not
    given back, so within the idle time (120 s) the return moves nobody; FRR deals a new group at each change, and the
    resilience is lost (net/ipv4/nexthop.c nh_res_*; bgp.md §4, §4.2, §6.9)."""
    plan = cluster(nodes=4, routers=(instant("rfc4724"),))
    group = EcmpPlan("resilient", 128, 120.0, 0.0, on_change)
    plan = with_clients(replace(plan, routers=(replace(plan.routers[0], ecmp=group),)), MANY)
    moved = outcomes(plan, play(plan, fault("agent-crash", back_s)), 1, 0)[0].moved / MANY
    assert low - 0.013 <= moved <= high + 0.013  # 4 x sqrt(0.25 x 0.75 / 20 000) = 0.0122
