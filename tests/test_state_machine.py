"""Every fault, alone and over another: what the facts of a run may say at all.

The oracle is the state machine of RFC 4271 §8.2.2 with its events, and that of a path at a graceful-restart helper
(RFC 4724 §4.2). Three measured routers and the letter of the RFCs, without and with (long-lived) graceful restart.
"""

from dataclasses import replace
from typing import get_args

import pytest
from worlds import cluster, direct, fault, instant, play, steady

from simbgp.model.faults import KINDS
from simbgp.profiles import Law
from simbgp.scenario.plan import GracefulRestartPlan
from simbgp.timeline import RouteChanged, SessionChanged
from simbgp.timeline.facts import RouteEvent
from simbgp.timeline.reasons import Reason

FIB = ("added", "withdrawn")
ROUTERS = ("rfc8538", "frr-8.4", "bird-2.0", "gobgp-3.10")
RESTARTS = (GracefulRestartPlan(False), GracefulRestartPlan(True, 20), GracefulRestartPlan(True, 20, long_lived_s=15))
OVER = (None, ("link-loss", 30.0), ("agent-crash", 5.0), ("link-down", 12.0))
"""What comes 8 s later."""

# who opens: the node dials, the router accepts; GoBGP and the routers seen know no state Connect of their own
STEPS = {
    ("idle", "active"),
    ("active", "open_sent"),
    ("open_sent", "open_confirm"),
    ("open_confirm", "established"),
    ("open_sent", "active"),  # RFC 4271 §8.2.2, OpenSent: TcpConnectionFails
    ("active", "idle"),
    ("open_sent", "idle"),
    ("open_confirm", "idle"),
    ("established", "idle"),
}
WAITS_OVER = {Reason.IDLE_HOLD_OVER, Reason.READY, Reason.SPEAKER_STARTED, Reason.ROUTER_STARTED}
MAY_COME_BY = {
    "established": {Reason.KEEPALIVE_RECEIVED},  # event 26
    "open_confirm": {Reason.OPEN_ACCEPTED},  # event 19
    "open_sent": {Reason.TCP_CONNECTED, Reason.TCP_ACCEPTED},  # events 16, 17
    "active": WAITS_OVER | {Reason.HALF_OPEN_LOST},  # events 1, 13; 18
    "idle": set(Reason)
    - WAITS_OVER
    - {Reason.KEEPALIVE_RECEIVED, Reason.OPEN_ACCEPTED, Reason.TCP_CONNECTED, Reason.TCP_ACCEPTED}
    - {Reason.HALF_OPEN_LOST},
}


def runs(kind, later):
    """The runs of one fault in every world, for good and not, with what comes over it."""
    for name in ROUTERS:
        for restart in RESTARTS:
            profile = instant(name, long_lived=True) if restart.long_lived_s else instant(name)
            plan = cluster(routers=(profile, instant()), timers=(9, 3), restart=restart, agent_s=3.0, node_s=5.0)
            faults = [replace(fault(*later, at_s=108.0), fault="later")] if later else []
            for world in (plan, direct(plan)):
                for down_s in (2.0, 45.0, None):
                    yield play(world, fault(kind, down_s), *faults)


def the_ends_go_the_ways_of_rfc_4271(log, kind):
    states = {}
    for fact in log.of(SessionChanged):
        end = fact.router, fact.node, fact.side
        assert fact.from_state == states.get(end, fact.from_state if kind == "node-join" else "established"), fact
        assert (fact.from_state, fact.to_state) in STEPS, fact
        assert isinstance(fact.reason, Reason), fact
        assert fact.reason in MAY_COME_BY[fact.to_state], fact
        assert fact.reason is not Reason.TCP_CONNECTED or fact.side == "node", fact
        assert fact.reason is not Reason.TCP_ACCEPTED or fact.side == "router", fact
        states[end] = fact.to_state


def a_path_enters_and_leaves_by_turns(log):
    installed, stale = set(), set()
    for router, table in log.start.next_hops.items():
        installed |= {(router, node, prefix) for prefix, nodes in table.items() for node in nodes}
    for fact in log.of(RouteChanged):
        path = fact.router, fact.node, fact.prefix
        assert fact.event in get_args(RouteEvent), fact
        if fact.event in ("added", "withdrawn"):
            assert (path in installed) == (fact.event == "withdrawn"), fact
            (installed.add if fact.event == "added" else installed.discard)(path)
        elif fact.event == "stale":
            stale.add(path)
        else:
            assert path in stale, fact
            stale.discard(path)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("later", OVER, ids=lambda later: later[0] if later else "alone")
def test_a_run_says_only_what_can_happen(kind, later):
    for log in runs(kind, later):
        the_ends_go_the_ways_of_rfc_4271(log, kind)
        a_path_enters_and_leaves_by_turns(log)
        times = [fact.time_us for fact in log]
        assert all(type(time_us) is int for time_us in times)
        assert times == sorted(times)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_it_does_so_if_it_begins_in_the_open_exchange(kind):
    """Which takes a second here: worker-1 dials at 108, the fault comes at 108.5, at its end another agent crash."""
    for name in ROUTERS:
        for restart in RESTARTS[:2]:
            speaker = steady(open_exchange=Law.constant(1.0))
            plan = cluster(routers=(instant(name), instant()), timers=(9, 3), restart=restart, speaker=speaker)
            for world in (plan, direct(plan)):
                for down_s in (0.2, 20.0):
                    faults = fault("agent-crash", 6), replace(fault(kind, down_s, at_s=108.5), fault="in it")
                    log = play(world, *faults, replace(fault("agent-crash", 1, at_s=128.5), fault="after it"))
                    the_ends_go_the_ways_of_rfc_4271(log, kind)
                    a_path_enters_and_leaves_by_turns(log)


HEALED = sorted(
    set(KINDS) - {"node-drain", "node-join", "agent-upgrade", "backends-down", "operator-down", "service-add"}
)


@pytest.mark.parametrize("kind", HEALED)
@pytest.mark.parametrize("later", OVER, ids=lambda later: later[0] if later else "alone")
def test_what_is_over_is_healed(kind, later):
    """By 1000 s, some 800 s and several connect retries after the last cause: up at both ends, all routes there."""
    for name in ROUTERS:
        for restart in RESTARTS:
            plan = cluster(routers=(instant(name), instant()), timers=(9, 3), restart=restart, agent_s=3.0, node_s=5.0)
            faults = [replace(fault(*later, at_s=108.0), fault="later")] if later else []
            for world in (plan, direct(plan)):
                log = play(world, fault(kind, 20.0), *faults)
                last = {(f.router, f.node, f.side): f.to_state for f in log.of(SessionChanged)}
                assert set(last.values()) <= {"established"}, (name, restart, last)
                fib = {(f.router, f.node, f.prefix): f.event for f in log.of(RouteChanged) if f.event in FIB}
                assert set(fib.values()) <= {"added"}, (name, restart, fib)
                rib = {(f.router, f.node, f.prefix): f.event for f in log.of(RouteChanged)}
                assert "stale" not in rib.values(), (name, restart, rib)
