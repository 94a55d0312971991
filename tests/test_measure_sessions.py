"""Metrics of sessions: which of them a fault concerns, and what happens at one instant."""

from dataclasses import replace

from study_worlds import HOPS, observed, scenario

from simbgp.measure import Question, value_of
from simbgp.timeline import FaultBegan, FaultEnded, SessionChanged

S = 1_000_000
PLAN = scenario().plan()  # horizon 600 s
TWO = scenario(routers=[{"name": name, "profile": "rfc8538"} for name in ("tor-1", "tor-2")]).plan()
POD = "10.244.1.0/24"


def began(at_s, fault=0, nodes=("worker-1",), routers=(), kind="node-down", **more):
    return FaultBegan(at_s * S, fault, kind, nodes, routers, **more)


def ended(at_s, fault=0, nodes=("worker-1",)):
    return FaultEnded(at_s * S, fault, "node-down", nodes, ())


def lost(at_s, node="worker-1", router="tor-1"):
    return SessionChanged(at_s * S, router, node, "router", "established", "idle", "hold timer expired")


def back(at_s, node="worker-1", router="tor-1"):
    return SessionChanged(at_s * S, router, node, "router", "open_confirm", "established", "KEEPALIVE received")


def value(run, metric="detection_s", **narrowing):
    return value_of(run, Question(metric, **narrowing))


def test_a_fault_of_one_router_concerns_its_sessions_alone():
    run = observed(TWO, began(60, routers=("tor-1",)), lost(70), lost(90, router="tor-2"))
    assert value(run) == (10.0, False)
    assert value(run, router="tor-2") is None


def test_a_fault_of_a_router_concerns_all_nodes_at_it():
    run = observed(
        TWO, began(60, nodes=(), routers=("tor-1",)), lost(70), lost(75, "worker-2"), lost(95, "worker-2", "tor-2")
    )
    assert value(run, router="tor-1", fault=0) == (540.0, True)  # worker-3 and worker-4 are not lost at all
    gone = [lost(80, node) for node in HOPS[2:]]
    run = observed(TWO, began(60, nodes=(), routers=("tor-1",)), lost(70), lost(75, "worker-2"), *gone)
    assert value(run) == (20.0, False)


def test_a_later_fault_of_the_other_router_does_not_take_over():
    # tor-2's fault at 65 is not why tor-1 loses the session at 70
    run = observed(TWO, began(60, "a", routers=("tor-1",)), began(65, "b", routers=("tor-2",)), lost(70))
    assert value(run, fault="a") == (10.0, False)
    assert value(run, "flaps", fault="a") == (1.0, False)
    assert value(run, "flaps", fault="b") == (0.0, False)
    # and it does not keep a loss that never came from being waited for
    run = observed(TWO, began(60, "a", routers=("tor-1",)), began(65, "b", routers=("tor-2",)))
    assert value(run, fault="a") == (540.0, True)


def test_pods_that_die_concern_no_session_and_a_fault_after_them_does():
    pods = began(60, "pods", nodes=(), kind="backends-down", service="web")
    assert value(observed(PLAN, pods, lost(90))) is None
    assert value(observed(PLAN, pods, began(80, "node"), lost(90))) == (10.0, False)


def test_a_question_of_a_prefix_or_service_is_one_of_those_who_announce_it():
    run = observed(PLAN, began(60, nodes=HOPS[:2]), lost(70), lost(90, "worker-2"))
    assert value(run) == (30.0, False)
    assert value(run, service="web") == (30.0, False)
    assert value(run, prefix=POD) == (10.0, False)
    assert value(run, "flaps", prefix=POD) == (1.0, False)
    assert value(run, "flaps", service="web") == (2.0, False)
    assert value(run, "flaps", prefix="10.9.9.0/24") is None


def test_a_session_established_at_the_instant_of_a_fault_was_not_up_before_it():
    run = observed(PLAN, lost(50), began(60), back(60), lost(65))
    assert value(run) is None
    assert value(observed(PLAN, lost(50), back(59), began(60), lost(65))) == (5.0, False)


def test_sessions_that_came_and_went_are_counted():
    # up, down 10, up 20, down 30, up 40: at 60 it is up, and after the loss at 50 it is not
    ups = (lost(10), back(20), lost(30), back(40))
    assert value(observed(PLAN, *ups, began(60), lost(70))) == (10.0, False)
    assert value(observed(PLAN, *ups, lost(50), began(60), lost(70))) is None


def test_a_loss_at_the_instant_of_the_next_fault_is_the_next_ones():
    run = observed(PLAN, began(60, "a"), began(70, "b"), lost(70))
    assert value(run, fault="a") is None
    assert value(run, fault="b") == (0.0, False)


def test_a_fault_that_comes_again_lasts_whatever_ended_before():
    run = observed(PLAN, began(60), ended(65), began(580))
    assert value(run) == (20.0, True)


def test_a_fault_that_ends_as_it_begins_does_not_last():
    assert value(observed(PLAN, began(60), ended(60))) is None


def test_a_session_can_be_back_at_the_instant_of_its_loss():
    assert value(observed(PLAN, began(60), lost(70), back(70)), "reestablish_s") == (10.0, False)


def test_flaps_of_a_fault_are_those_after_it_and_before_the_next():
    run = observed(PLAN, began(60), lost(60), back(65), lost(66), back(70), began(80, fault=1), lost(80))
    assert [value(run, "flaps", fault=fault).value for fault in (0, 1)] == [2.0, 1.0]
    assert value(run, "flaps").value == 3.0


def test_in_a_cold_start_no_session_is_up_before_it_is_established():
    cold = replace(PLAN, cold_start=True)
    assert value(observed(cold, began(60), lost(70))) is None
    assert value(observed(cold, back(50), began(60), lost(70))) == (10.0, False)
