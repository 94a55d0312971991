"""Pods that join during a run, and pods whose process ends while their node lives on."""

import numpy as np
import pytest
from traffic_worlds import SECOND, VIP, clients, plan, pod_names, timeline

from simbgp.scenario.plan import LoadBalancerPlan, Plan
from simbgp.timeline import BackendAdded, BackendChanged, Fact, ForwardingChanged, ViewChanged
from simbgp.traffic import History, outcomes, windows
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.maglev import maglev_table

NEW_KEY = "[10.244.2.99:80/TCP,State:active]"


def outcome(made: Plan, *facts: Fact):
    return outcomes(made, timeline(made, *facts), seed=1, run=0)[0]


def joined(made: Plan, at_s: int, *, view: tuple[str, ...]) -> list[Fact]:
    added = BackendAdded(at_s * SECOND, "web", "web-0~1", "n2", NEW_KEY)
    seen = [ViewChanged(at_s * SECOND, node.name, "web", 1, view) for node in made.nodes]
    return [added, *seen]


def test_a_pod_that_joins_takes_new_connections():
    made = plan(node_count=2, backends=1, traffic=clients(arrivals_per_s=10.0))
    gone = BackendChanged(100 * SECOND, "web", "web-0", False)
    found = outcome(made, gone, *joined(made, 100, view=("web-0~1",)))
    assert found.not_opened == found.refused == found.delayed == 0
    assert found.unaffected > 4_900  # all of those that came after the first pod's end, and did not have it


def test_a_pod_that_joins_is_in_the_maglev_table_by_its_own_key():
    made = plan(node_count=2, backends=3, balancer=LoadBalancerPlan("maglev", table_size=251))
    history = History(made, timeline(made, *joined(made, 100, view=(*pod_names(made), "web-0~1"))))
    service = history.services[0]
    keys = [backend.key for backend in service.backends]
    assert keys[-1] == NEW_KEY
    held = Balancer(made.load_balancer, service).places(history.view("n1", "web").at(200 * SECOND).backends)
    assert np.array_equal(held, maglev_table(keys, 251))


def test_a_local_service_moves_with_its_pod():
    made = plan(node_count=2, backends=1, policy="Local")
    history = History(made, timeline(made, *joined(made, 100, view=("web-0~1",))))
    assert history.view("n2", "web").at(99 * SECOND).backends == ()
    assert history.view("n2", "web").at(100 * SECOND).backends == ("web-0~1",)
    assert history.view("n1", "web").at(100 * SECOND).backends == ()


@pytest.mark.parametrize(
    ("mode", "resets", "ends"),
    [("snat", True, "reset"), ("dsr", True, "reset"), ("snat", False, "timed_out"), ("dsr", False, "timed_out")],
)
def test_only_a_kernel_that_lives_on_resets_what_its_dead_pod_is_sent(mode, resets, ends):
    balancer = LoadBalancerPlan(mode=mode)
    made = plan(node_count=2, backends=2, traffic=clients(connections=1000), balancer=balancer)
    found = outcome(made, BackendChanged(100 * SECOND, "web", "web-0", False, resets))
    assert getattr(found, ends) == pytest.approx(500, abs=65)  # half have that pod; four standard errors
    assert found.unaffected == 1000 - getattr(found, ends)


def test_a_pod_that_resets_refuses_new_connections():
    made = plan(node_count=1, backends=1, traffic=clients(arrivals_per_s=10.0))
    found = outcome(made, BackendChanged(300 * SECOND, "web", "web-0", False, resets=True))
    assert found.refused == found.not_opened == pytest.approx(3_000, abs=220)


def test_with_its_node_goes_the_kernel_that_reset():
    made = plan(node_count=2, backends=2, traffic=clients(arrivals_per_s=10.0))
    facts = [
        BackendChanged(100 * SECOND, "web", "web-0", False, resets=True),
        ForwardingChanged(300 * SECOND, "n1", False),
    ]
    history = History(made, timeline(made, *facts))
    assert history.resets("web", "web-0").at(299 * SECOND)
    assert not history.resets("web", "web-0").at(300 * SECOND)


def test_a_window_counts_picks_of_a_pod_that_joined_and_died():
    made = plan(node_count=2, backends=1)
    facts = joined(made, 100, view=("web-0", "web-0~1"))
    found = windows(made, timeline(made, *facts, BackendChanged(200 * SECOND, "web", "web-0~1", False)))
    assert [(w.prefix, w.cause, w.start_us, w.share) for w in found] == [(VIP, "dead-backend", 200 * SECOND, 0.5)]
