from click import unstyle
from study_worlds import scenario

from simbgp.report.explain import explanation
from simbgp.study.replay import timeline

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
