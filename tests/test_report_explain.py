from dataclasses import replace

import pytest
from click import unstyle
from study_worlds import observed, scenario

from simbgp.report.explain import explanation
from simbgp.scenario.plan import LoadBalancerPlan
from simbgp.study.replay import timeline
from simbgp.timeline import ForwardingChanged, NeighbourChanged, PathChanged

S = 1_000_000
PLAN = scenario().plan()  # worker-1 of four is dead from 60 s on, seen after 60 to 90 s and kept for 120 s more
FACTS = timeline(PLAN, 0, 0)


def explained(at_s, service="web"):
    return [unstyle(line) for line in explanation(PLAN, FACTS, at_s * S, service)]


def test_before_the_fault_all_is_well():
    lines = explained(59)
    assert lines[0] == "web 192.0.2.10/32 at tor-1, t = 59 s: nothing is lost; 4 next hops by hash-threshold"
    assert lines[1:5] == [f"  25 %  worker-{n}  ok, picks among 4 backends" for n in (1, 2, 3, 4)]
    assert lines[-1] == "  nothing has happened yet"


def test_a_dead_next_hop_and_dead_backends_have_their_shares():
    # a quarter goes to the dead node, of the rest a quarter to its dead backend: 1/4 + 3/4 * 1/4 = 43.75 %
    lines = explained(70)
    assert "43.8 % is lost" in lines[0]
    assert lines[1].startswith("  25 %  worker-1  dead-next-hop: ")
    assert lines[2].startswith("  25 %  worker-2  dead-backend: 25 % of its picks are web-1")
    assert "  60 s  node-down: worker-1" in lines


def test_once_endpoints_are_revised_only_the_dead_next_hop_is_left():
    # node monitor grace 50 s and at most 1 s of propagation
    lines = explained(112)
    assert "25 % is lost" in lines[0]
    assert lines[2] == "  25 %  worker-2  ok, picks among 3 backends"


def test_once_the_restart_time_is_over_the_others_have_it_all():
    lines = explained(271)  # 60 + 90 + 120 at the latest
    assert lines[0].endswith("nothing is lost; 3 next hops by hash-threshold")
    assert any("tor-1 no longer forwards to worker-1" in line for line in lines)


def test_without_a_service_the_pods_of_the_failed_node_are_explained_too():
    lines = explained(271, service=None)
    (pods,) = [line for line in lines if line.startswith("10.244.")]
    assert pods == "10.244.1.0/24 at tor-1, t = 271 s: no next hop, all of it is lost (no-route)"


def by_hand(*facts):
    lines = explanation(PLAN, observed(PLAN, *facts).timeline, 100 * S, "web")
    return [unstyle(line) for line in lines]


def test_a_path_that_loses_some_packets_says_how_many():
    lines = by_hand(PathChanged(60 * S, "tor-1", "worker-2", 0.3))
    assert "7.5 % is lost" in lines[0]  # 30 % of a quarter
    assert lines[2] == "  25 %  worker-2  link: 30 % of the packets from the router are lost on the way or behind it"
    assert "  60 s  30 % of the packets between tor-1 and worker-2 vanish" in lines


def test_a_skipped_next_hop_gets_nothing_and_the_next_one_its_share():
    lines = by_hand(ForwardingChanged(60 * S, "worker-2", False), NeighbourChanged(85 * S, "tor-1", "worker-2", False))
    assert "nothing is lost; 4 next hops" in lines[0]
    assert lines[2] == "   0 %  worker-2  skipped: its neighbour entry failed, and the next in the group gets its flows"
    assert lines[3] == "  50 %  worker-3  ok, picks among 4 backends"


@pytest.mark.parametrize(
    ("balancer", "heard", "said"),
    [
        (LoadBalancerPlan(), True, "is reset: its backend knows it by the first node's address (snat)"),
        (LoadBalancerPlan("maglev", "dsr"), True, "same backend in its slot, else is reset (dsr, maglev)"),
        (LoadBalancerPlan("random", "dsr"), False, "else times out, for the backend's RST is not heard (dsr, random)"),
        (LoadBalancerPlan(unknown_flow="drop"), True, "times out: the node knows no such connection"),
    ],
)
def test_what_becomes_of_a_moved_connection_is_said(balancer, heard, said):
    made = replace(
        PLAN, load_balancer=balancer, speaker=replace(PLAN.speaker, dsr_reset_reaches_client=heard)
    )  # fmt: skip
    (line,) = [line for line in explanation(made, FACTS, 59 * S, "web") if "an open connection that is moved" in line]
    assert said in line


def test_what_a_node_knows_of_a_client_is_said_where_services_are_sticky():
    sticky = replace(PLAN, services=tuple(replace(service, affinity_s=10800.0) for service in PLAN.services))
    text = "\n".join(explanation(sticky, FACTS, 59 * S, "web"))
    assert (
        "each node gives a client address to one backend for 10800 s after its last packet; another node knows" in text
    )
    assert "client address" not in "\n".join(explained(59))


def test_those_beyond_the_maximum_of_paths_are_named():
    ecmp = replace(PLAN.routers[0].ecmp, maximum_paths=2)
    few = replace(PLAN, routers=(replace(PLAN.routers[0], ecmp=ecmp),))
    lines = explanation(few, FACTS, 59 * S, "web")
    assert [line.split()[2] for line in lines[1:3]] == ["worker-1", "worker-2"]
    assert lines[3] == "  2 more nodes at the group's end, beyond maximumPaths: worker-3, worker-4"
