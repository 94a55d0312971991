"""Small clusters and their runs, for tests of the control plane."""

from dataclasses import replace

from simbgp.model import simulate
from simbgp.profiles import Law, RouterProfile, SpeakerProfile, router, speaker
from simbgp.scenario.plan import (
    AnnouncementPlan,
    BackendPlan,
    EcmpPlan,
    GracefulRestartPlan,
    LoadBalancerPlan,
    NodePlan,
    Occurrence,
    PeeringPlan,
    Plan,
    RouterPlan,
    ServicePlan,
    Trial,
)
from simbgp.scenario.tape import Tape
from simbgp.timeline import FaultBegan, RouteChanged, SessionChanged, Timeline

VIP = "192.0.2.10/32"
AT_S = 100.0


def steady(name: str = "gobgp-3.36", dial_s: float = 2.0, **changes: object) -> SpeakerProfile:
    """A speaker whose every draw is known: it dials ``dial_s`` after it may, and the OPEN exchange takes no time."""
    known = {
        "first_dial": Law.constant(dial_s),
        "open_exchange": Law.constant(0.0),
        "update_delay": Law.constant(0.0),
        "routes_ready": Law.constant(0.0),
        "retry_factor": (1.0, 1.0),
    }
    return replace(speaker(name), **(known | changes))


def instant(name: str = "rfc8538", **changes: object) -> RouterProfile:
    """A router profile without latency and without jitter."""
    none = Law.constant(0.0)
    known = {
        "fib_install": none,
        "fib_withdraw": none,
        "fib_hold": none,
        "fib_expire": none,
        "fib_link": none,
        "fib_end_of_rib": none,
        "late_wake_s": 0.0,
        "end_of_rib": none,
        "end_of_rib_per_peer_s": 0.0,
        "fib_per_prefix_s": 0.0,
        "keepalive_jitter": (1.0, 1.0),
    }
    return replace(router(name), **(known | changes))


def cluster(
    nodes: int = 2,
    routers: tuple[RouterProfile, ...] = (instant(),),
    speaker: SpeakerProfile | None = None,
    timers: tuple[int, int] = (90, 30),
    retry_s: int = 120,
    restart: GracefulRestartPlan | None = None,
    agent_s: float = 0.0,
    node_s: float = 0.0,
    horizon_s: float = 1000.0,
    grace_s: float = 50.0,
    propagation_s: float = 1.0,
    cold: bool = False,
) -> Plan:
    """Nodes worker-1..n that all peer with routers tor-1..m; a VIP with one backend on each node."""
    named = tuple(NodePlan(f"worker-{i}", (f"10.0.0.{i}",), (pod_cidr(i),)) for i in range(1, nodes + 1))
    restart = restart or GracefulRestartPlan(False)
    tors = tuple(
        RouterPlan(f"tor-{i}", profile, 65000, (f"10.0.255.{i}",), EcmpPlan("hash-threshold"))
        for i, profile in enumerate(routers, 1)
    )
    peerings = tuple(
        PeeringPlan(
            node.name,
            tor.name,
            *timers,
            retry_s,
            restart,
            (*node.pod_cidrs, VIP),
            announcements=tuple(AnnouncementPlan(prefix, "all") for prefix in (*node.pod_cidrs, VIP)),
        )
        for node in named
        for tor in tors
    )
    backends = tuple(BackendPlan(f"web-{i}", f"worker-{i}", f"key-{i}") for i in range(1, nodes + 1))
    return Plan(
        name="test",
        horizon_us=round(horizon_s * 1e6),
        cold_start=cold,
        up_for_us=3_600_000_000,
        speaker=speaker or steady(),
        nodes=named,
        routers=tors,
        peerings=peerings,
        services=(ServicePlan("web", (VIP,), "Cluster", backends),),
        load_balancer=LoadBalancerPlan(),
        traffic=(),
        faults=(),
        slo=(),
        node_startup=Law.constant(node_s),
        agent_startup=Law.constant(agent_s),
        node_monitor_grace=Law.constant(grace_s),
        endpoint_propagation=Law.constant(propagation_s),
    )


def direct(plan: Plan) -> Plan:
    """The same cluster with every node on a port of its router's own."""
    return replace(plan, routers=tuple(replace(router, link="direct") for router in plan.routers))


def pod_cidr(node: int) -> str:
    return f"10.244.{node}.0/24"


def fault(
    kind: str,
    down_s: float | None = None,
    at_s: float = AT_S,
    node: str = "worker-1",
    routers: tuple[str, ...] = (),
    options: dict[str, float | str] | None = None,
) -> Occurrence:
    """A fault of one node, with all its routers or those named; of the first named router for ``router-...``; of the
    service web for ``backends-down``; of two nodes for a rollout; of the operator."""
    down_us = None if down_s is None else round(down_s * 1e6)
    nodes: tuple[str, ...] = (node,)
    if kind.startswith("router-"):
        nodes, routers = (), routers[:1] or ("tor-1",)
    elif kind in ("agent-upgrade", "operator-down", "backends-down", "service-add"):
        nodes, routers = (), ()
    given = _OPTIONS.get(kind, {}) | (options or {})
    return Occurrence(kind, kind, round(at_s * 1e6), nodes, routers, (down_us,), given)


_OPTIONS: dict[str, dict[str, object]] = {
    "agent-upgrade": {
        "to": "1.20",
        "nodes": ("worker-1", "worker-2"),
        "max_unavailable": 1,
        "min_ready_us": 0,
        "image_pull": None,
    },
    "backends-down": {"service": "web", "backends": ()},
    "node-drain": {
        "order": ("drain", "unlabel", "wait", "poweroff"),
        "wait_us": 130_000_000,
        "grace_us": 30_000_000,
        "pre_stop_us": None,
    },
    "service-add": {"service": "web", "plans": ("web",)},
}
"""What a scenario gives by default."""


def play(plan: Plan, *faults: Occurrence, seed: int = 1, run: int = 0) -> Timeline:
    return simulate(Trial(plan, run, Tape(seed, run), tuple(sorted(faults, key=lambda f: f.at_us))))


def since_fault(time_us: int) -> float:
    """Seconds after `AT_S`, to the microsecond."""
    return round(time_us / 1e6 - AT_S, 6)


def fib_log(timeline: Timeline, prefix: str, router: str = "tor-1") -> list[tuple[float, str]]:
    """When worker-1's path of ``prefix`` left and entered the FIB."""
    return [
        (since_fault(fact.time_us), fact.event)
        for fact in timeline.of(RouteChanged)
        if (fact.router, fact.node, fact.prefix) == (router, "worker-1", prefix)
        and fact.event in ("added", "withdrawn")
    ]


def session_log(timeline: Timeline, side: str = "router", router: str = "tor-1") -> list[tuple[float, str]]:
    """When worker-1's session entered and left Established at one end."""
    return [
        (since_fault(fact.time_us), "up" if fact.to_state == "established" else "down")
        for fact in timeline.of(SessionChanged)
        if (fact.router, fact.node, fact.side) == (router, "worker-1", side)
        and "established" in (fact.from_state, fact.to_state)
    ]


def first_lost(timeline: Timeline, side: str = "router") -> float:
    return next(time_s for time_s, what in session_log(timeline, side) if what == "down")


def began(timeline: Timeline) -> list[str]:
    return [fact.kind for fact in timeline.of(FaultBegan)]
