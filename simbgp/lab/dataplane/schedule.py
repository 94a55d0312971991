"""Who dials when, asks how often and lives how long: the connections that a run of the model has, for `dial`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from simbgp.lab.dataplane.layout import SERVICE_PORT, Layout, Vip
from simbgp.scenario import Plan
from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.flows import counts, draw

MOST_CONNECTIONS = 5_000
DEFAULT_CONNECTIONS = 1_000
_MOST_REQUESTS_PER_S = 3_000.0
"""What the clients' and the pods' programs do beside daemons on two cores."""
_MOST_ARRIVALS = 20_000
"""Of a run: each has a port of its own."""


def scaled(plan: Plan, most: int) -> Plan:
    """The plan with at most ``most`` connections open at time 0; arrivals become fewer by the same factor.

    Fewer still where they ask or arrive too often. Shares stay what they are, for connections do not hurt each other.
    """
    if not plan.traffic or most <= 0:
        return replace(plan, traffic=())
    rate = sum(t.connections / t.request_interval_s for t in plan.traffic)
    coming = sum(t.arrivals_per_s for t in plan.traffic) * plan.horizon_us / 1e6
    factors = [
        most / max(1, sum(t.connections for t in plan.traffic)),
        _MOST_REQUESTS_PER_S / max(1.0, rate),
        _MOST_ARRIVALS / max(1.0, coming),
    ]
    factor = min(1.0, *factors)
    if factor == 1.0:
        return plan
    return replace(plan, traffic=tuple(_scaled(traffic, factor) for traffic in plan.traffic))


def _scaled(traffic: TrafficPlan, factor: float) -> TrafficPlan:
    connections = round(traffic.connections * factor)
    return replace(traffic, connections=connections, arrivals_per_s=traffic.arrivals_per_s * factor)


def schedule(plan: Plan, layout: Layout, router: str, seed: int, run: int) -> dict[str, Any]:
    """The groups and connections of one router's clients, as `dial.Clients` reads them."""
    groups: list[dict[str, Any]] = []
    connections: list[tuple[int, float | None, float, float]] = []
    for traffic in plan.traffic:
        vips = [vip for vip in layout.vips if vip.service.name == traffic.service]
        for vip, present, coming in _entering(plan, traffic, vips, router, seed, run):
            connections += _connections(plan, traffic, vip, router, (present, coming), (seed, run), len(groups))
            groups.append(_group(traffic, vip))
    return {"groups": groups, "connections": connections, "horizon_s": plan.horizon_us / 1e6}


def _entering(
    plan: Plan, traffic: TrafficPlan, vips: list[Vip], router: str, seed: int, run: int
) -> Iterator[tuple[Vip, int, int]]:
    """How many enter at this router for each address: at all routers in equal shares, as the model has it."""
    entries = [(each.name, vip) for each in plan.routers for vip in vips if _announced(plan, each.name, vip)]
    at_router = [name for name, _ in entries]
    shares = [1 / (len(set(at_router)) * at_router.count(name)) for name in at_router]
    many = counts(traffic, (0, plan.horizon_us), shares, seed, run)
    for (name, vip), present, coming in zip(entries, many.open, many.arriving, strict=bool(entries)):
        if name == router:
            yield vip, present, coming


def _announced(plan: Plan, router: str, vip: Vip) -> bool:
    return any(vip.prefix in peering.prefixes for peering in plan.peerings if peering.router == router)


def _connections(
    plan: Plan,
    traffic: TrafficPlan,
    vip: Vip,
    router: str,
    many: tuple[int, int],
    luck: tuple[int, int],
    group: int,
) -> list[tuple[int, float | None, float, float]]:
    horizon_us = plan.horizon_us
    flows = draw(traffic, f"{router}/{vip.prefix}", *many, horizon_us, (0, horizon_us), *luck)
    rows = zip(flows.dialled_us.tolist(), flows.lives_us.tolist(), flows.phases_us.tolist(), strict=True)
    return [(group, None if at < 0 else at / 1e6, life / 1e6, phase / 1e6) for at, life, phase in rows]


def _group(traffic: TrafficPlan, vip: Vip) -> dict[str, Any]:
    return {
        "target": [vip.address, SERVICE_PORT],
        "service": traffic.service,
        "interval_s": traffic.request_interval_s,
        "poisson": traffic.poisson_requests,
        "connect_s": traffic.connect_timeout_s,
        "request_s": traffic.request_timeout_s,
        "user_s": traffic.user_timeout_s,
        "reconnects": traffic.reconnects,
    }
