"""The states of an endpoint (cilium pkg/loadbalancer reflectors): who is picked, who attracts a Local route, who is
served on; and the flag and the Kubernetes release that decide."""

from dataclasses import replace

import pytest
from belief_worlds import with_clients
from scenario_texts import small
from worlds import AT_S, VIP, cluster, fault, fib_log, instant, play, since_fault, steady

from simbgp.profiles import Law
from simbgp.timeline import BackendChanged, ViewChanged
from simbgp.traffic import outcomes

AT_ONCE = {"reconcile": Law.constant(0.0)}


def of(release, policy="Cluster", **changes):
    plan = cluster(2, (instant(),), steady(release, **AT_ONCE), propagation_s=1.0)
    return replace(plan, services=(replace(plan.services[0], policy=policy),), **changes)


def down(how, down_s=None, *backends, at_s=AT_S):
    return fault("backends-down", down_s, at_s, options={"service": "web", "backends": backends, "how": how})


# With all backends gone no release keeps a Local route, and only the flag takes that of a Cluster service, from 1.19 on
# (cilium/cilium#40717). Pods that are listed as not ready keep a Local route up to 1.19 (#45276), and are no Active
# backend of a Cluster service in 1.20.
ALL_DOWN = [
    ("1.20", "Cluster", "gone", True, []),
    ("1.20", "Cluster", "gone", False, [(1.0, "withdrawn")]),
    ("1.19", "Cluster", "gone", False, [(1.0, "withdrawn")]),
    ("1.18", "Cluster", "gone", False, []),
    ("1.20", "Cluster", "unready", False, [(1.0, "withdrawn")]),
    ("1.20", "Cluster", "crash", True, []),
    ("1.20", "Local", "gone", True, [(1.0, "withdrawn")]),
    ("1.19", "Local", "gone", True, [(1.0, "withdrawn")]),
    ("1.20", "Local", "unready", True, [(1.0, "withdrawn")]),
    ("1.20", "Local", "crash", True, [(1.0, "withdrawn")]),
    ("1.19", "Local", "unready", True, []),
    ("1.18", "Local", "crash", True, []),
]


@pytest.mark.parametrize(("release", "policy", "how", "routable", "route"), ALL_DOWN)
def test_what_becomes_of_a_route_when_all_backends_are_down(release, policy, how, routable, route):
    plan = of(release, policy, routable_without_endpoints=routable)
    assert fib_log(play(plan, down(how)), VIP) == route


def test_a_withdrawn_vip_is_back_with_its_backends():
    log = play(of("1.20", routable_without_endpoints=False), down("gone", 30.0))
    assert fib_log(log, VIP) == [(1.0, "withdrawn"), (31.0, "added")]


def test_an_unready_pod_lives_and_is_picked_by_nobody():
    log = play(of("1.20"), down("unready", None, "web-1"))
    assert log.of(BackendChanged) == []
    assert {(since_fault(fact.time_us), fact.backends) for fact in log.of(ViewChanged)} == {(1.0, ("web-2",))}


@pytest.mark.parametrize(("how", "reset"), [("unready", 0), ("crash", True), ("gone", True)])
def test_who_is_served_by_an_unready_pod_is_served_on(how, reset):
    # one of two pods: its connections go on, or see the RST of a process that ended
    plan = with_clients(of("1.20"), 100)
    (whole, *_) = outcomes(plan, play(plan, down(how, None, "web-1")), 1, 0)
    assert (whole.reset > 30) is bool(reset)
    assert whole.reset + whole.unaffected == 100


def test_a_terminating_pod_is_picked_where_nobody_is_ready_and_an_unready_one_never():
    # web-1 is drained at 0 (terminating for 30 s; its replacement is ready after 100), web-2 unready at 10: web-1 again
    plan = replace(of("1.20"), pod_startup=Law.constant(100.0))
    drain = fault("node-drain", options={"order": ("drain",)})
    log = play(plan, drain, down("unready", None, "web-2", at_s=AT_S + 10))
    views = dict.fromkeys((since_fault(fact.time_us), fact.backends) for fact in log.of(ViewChanged))
    assert list(views) == [(1.0, ("web-2",)), (11.0, ("web-1",)), (31.0, ()), (101.0, ("web-1~1",))]


def test_a_terminating_pod_on_a_dead_node_serves_until_the_node_is_not_ready():
    # drained at 0 with 100 s of grace, power lost at 5, web-2 unready at 10: web-1 is picked until 5 + 40 + 1,
    # its replacement, ready after 500, from 501 on
    plan = replace(of("1.20"), pod_startup=Law.constant(500.0), node_monitor_grace=Law.constant(40.0))
    drain = fault("node-drain", options={"order": ("drain",), "grace_us": 100_000_000})
    lost = fault("node-down", at_s=AT_S + 5)
    log = play(plan, drain, lost, down("unready", None, "web-2", at_s=AT_S + 10))
    views = [(since_fault(f.time_us), f.backends) for f in log.of(ViewChanged) if f.node == "worker-2"]
    assert views == [(1.0, ("web-2",)), (11.0, ("web-1",)), (46.0, ()), (501.0, ("web-1~1",))]


@pytest.mark.parametrize(
    ("version", "grace_s"), [("1.31", 40.0), ("v1.31.4", 40.0), ("1.32", 50.0), ("1.9", 40.0), (None, 50.0)]
)
def test_the_grace_period_follows_the_kubernetes_release(version, grace_s):
    # kubernetes/kubernetes#126287: 40 s before 1.32, 50 s since
    overrides = () if version is None else (f"cluster.kubernetes.version={version}",)
    plan = small("", *overrides).plan()
    assert plan.node_monitor_grace == Law.constant(grace_s)


def test_a_written_grace_period_wins_over_the_release():
    plan = small("", "cluster.kubernetes.version=1.31", "cluster.kubernetes.nodeMonitorGracePeriod=20s").plan()
    assert plan.node_monitor_grace == Law.constant(20.0)


def test_the_flag_is_a_setting_of_the_scenario():
    assert small().plan().routable_without_endpoints
    assert not small("", "cluster.enableNoServiceEndpointsRoutable=false").plan().routable_without_endpoints
