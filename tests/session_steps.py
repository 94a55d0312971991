"""A session's steps as text, one fact a line, for tests that say all of a run and not a part of it.

The cluster has one node and one router and starts cold with an agent that is ready at once: the node dials at 2 s and
both ends are Established then, so keepalives leave at 2, 5, 8, ... (9/3) or at 2, 32, 62, 92 (90/30), and no luck is
left. Times are seconds after the fault at 100: the last keepalives before it left at -2, or at -8.
"""

from worlds import AT_S, cluster, direct, instant, play, pod_cidr, since_fault, steady

from simbgp.scenario.plan import Occurrence
from simbgp.timeline import RouteChanged, SessionChanged

POD = pod_cidr(1)


def world(router="rfc8538", speaker="gobgp-3.36", timers=(9, 3), own_port=False, **settings):
    """The cluster; ``router`` and ``speaker`` are names or profiles."""
    router = instant(router) if isinstance(router, str) else router
    speaker = steady(speaker) if isinstance(speaker, str) else speaker
    plan = cluster(nodes=1, routers=(router,), speaker=speaker, timers=timers, cold=True, **settings)
    return direct(plan) if own_port else plan


def steps(plan, *faults, since_s=0.0):
    """Each change of the session's ends, and of the path of `POD`, from ``since_s`` on."""
    lines = []
    for fact in play(plan, *faults):
        at_s = f"{since_fault(fact.time_us):g}"
        if since_fault(fact.time_us) < since_s:
            continue
        if isinstance(fact, SessionChanged):
            lines.append(f"{at_s} {fact.side}: {fact.from_state} > {fact.to_state}, {fact.reason.name}")
        elif isinstance(fact, RouteChanged) and fact.prefix == POD:
            lines.append(f"{at_s} path: {fact.event}")
    return lines


def up(at_s, route="added", open_s=None):
    """RFC 4271 §8.2.2: TCP connects, and is accepted (events 16, 17), OPENs (19), KEEPALIVEs (26), then routes."""
    done = f"{at_s if open_s is None else open_s:g}"
    lines = [
        f"{at_s:g} node: active > open_sent, TCP_CONNECTED",
        f"{at_s:g} router: active > open_sent, TCP_ACCEPTED",
        f"{done} router: open_sent > open_confirm, OPEN_ACCEPTED",
        f"{done} router: open_confirm > established, KEEPALIVE_RECEIVED",
        f"{done} node: open_sent > open_confirm, OPEN_ACCEPTED",
        f"{done} node: open_confirm > established, KEEPALIVE_RECEIVED",
    ]
    return [*lines, f"{done} path: {route}"] if route else lines


# single steps


def node(at_s, why, to="idle", before="established"):
    return f"{at_s:g} node: {before} > {to}, {why}"


def router(at_s, why, to="idle", before="established"):
    return f"{at_s:g} router: {before} > {to}, {why}"


def starts(at_s, why="IDLE_HOLD_OVER"):
    """The node's end may dial: RFC 4271 §8.2.2, Idle, events 1 and 13."""
    return node(at_s, why, "active", "idle")


def ready(at_s, why="READY"):
    return router(at_s, why, "active", "idle")


def path(at_s, event="withdrawn"):
    return f"{at_s:g} path: {event}"


def router_ends(at_s, why):
    return [router(at_s, why), ready(at_s)]


def stalled(at_s, for_s):
    return Occurrence("stall", "stall", round((AT_S + at_s) * 1e6), (), ("tor-1",), (round(for_s * 1e6),), {})


CRASHED = [node(0, "SPEAKER_KILLED"), *router_ends(0, "TCP_CLOSED")]
"""A killed agent, at a router that is ready at once."""
