"""Windows: when and how much of a prefix's traffic at a router falls into a hole, by exact interval arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum
from typing import Literal, NamedTuple

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.timeline import Timeline, require
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.faultlog import FaultLog
from simbgp.traffic.history import History
from simbgp.traffic.steps import Steps

Cause = Literal["no-route", "link", "dead-next-hop", "dead-backend", "no-backend"]
_ORDER: tuple[Cause, ...] = ("no-route", "link", "dead-next-hop", "dead-backend", "no-backend")


@dataclass(frozen=True, slots=True)
class Window:
    """A longest interval in which a prefix loses a constant share of its traffic at a router for one cause.

    ``share`` is of all the prefix's traffic there, whatever its several causes; ``cause`` is the first obstacle on the
    packet's way. Touching windows of a prefix form one ``outage``, counted from 0 per router and prefix. A window
    still open at the horizon is censored: ``end_us`` is None and ``duration_us`` reaches to the horizon. ``fault`` is
    the latest that began at or before the outage and touches the router or the nodes concerned.
    """

    router: str
    prefix: str
    service: str | None
    fault: str | int | None
    cause: Cause
    outage: int
    start_us: int
    end_us: int | None
    duration_us: int
    since_fault_us: int | None
    share: float
    lost_traffic_us: float
    censored: bool


class _Loss(NamedTuple):
    """What a node loses of the traffic that a router sends it; ``nodes`` are where the obstacle stands."""

    cause: Cause | None
    fraction: float
    nodes: tuple[str, ...] = ()


class _Hole(NamedTuple):
    """The state of a prefix at a router from ``start_us`` on; without a cause all is well."""

    start_us: int
    cause: Cause | None
    share: float
    nodes: tuple[str, ...]


_NO_LOSS = _Loss(None, 0.0)


def windows(plan: Plan, timeline: Timeline) -> list[Window]:
    """All windows of a run, by router and prefix in the order in which they were announced, then by time.

    A prefix counts from its first announcement, in a cold start from time 0 on.
    """
    history, faults = History(plan, timeline), FaultLog(timeline)
    losses = _Losses(plan, history)
    found: list[Window] = []
    for router, prefix in history.announced:
        holes = list(_holes(plan, history, losses, router, prefix))
        found.extend(_windows(holes, history.horizon_us, router, prefix, losses.service_of(prefix), faults))
    return found


class _Losses:
    """What each node loses of a prefix's traffic, as a function of time."""

    def __init__(self, plan: Plan, history: History) -> None:
        self._history = history
        self._services = {prefix: service for service in plan.services for prefix in service.prefixes}
        self._balancers = {service.name: Balancer(plan.load_balancer, service) for service in plan.services}
        self._known: dict[tuple[str, str, str | None], Steps[_Loss]] = {}

    def service_of(self, prefix: str) -> str | None:
        """The service behind a prefix; None for a PodCIDR."""
        service = self._services.get(prefix)
        return service.name if service else None

    def at_node(self, router: str, node: str, prefix: str) -> Steps[_Loss]:
        """The loss of what ``router`` sends to ``node`` for ``prefix``."""
        key = router, node, self.service_of(prefix)
        if key not in self._known:
            self._known[key] = self._steps(router, node, self._services.get(prefix))
        return self._known[key]

    def _steps(self, router: str, node: str, service: ServicePlan | None) -> Steps[_Loss]:
        history = self._history
        times = {*history.path(router, node).times, *history.forwarding(node).times}
        if service:
            times.update(history.view(node, service.name).times)
            for backend in history.mortal(service.name):
                times.update(history.life(service.name, backend).times)
        steps = Steps(_NO_LOSS)
        for time_us in sorted(times):
            steps.set(time_us, self._loss(router, node, service, time_us))
        return steps

    def _loss(self, router: str, node: str, service: ServicePlan | None, time_us: int) -> _Loss:
        if not self._history.path(router, node).at(time_us):
            return _Loss("link", 1.0, (node,))
        if not self._history.forwarding(node).at(time_us):
            return _Loss("dead-next-hop", 1.0, (node,))
        return self._behind(node, service, time_us) if service else _NO_LOSS

    def _behind(self, node: str, service: ServicePlan, time_us: int) -> _Loss:
        """The loss of what reached the node: its load balancer has no backend, or picks one that is gone."""
        history, name = self._history, service.name
        view = history.view(node, name).at(time_us)
        homes = {backend.name: backend.node for backend in service.backends}
        if not view:
            return _Loss("no-backend", 1.0, (node, *homes.values()))
        dead = [backend for backend in history.mortal(name) if history.life(name, backend).at(time_us) % 2]
        fraction = self._balancers[name].share(view, dead) if dead else 0.0
        return _Loss("dead-backend", fraction, (node, *(homes[b] for b in dead if b in view))) if fraction else _NO_LOSS


def _holes(plan: Plan, history: History, losses: _Losses, router: str, prefix: str) -> Iterator[_Hole]:
    """The state of the prefix at the router from each change on; holes of share 0 are none."""
    origins, groups = history.origins(router, prefix), history.next_hops(router, prefix)
    at_node = {node: losses.at_node(router, node, prefix) for node in origins}
    kind = next(item.ecmp.hash for item in plan.routers if item.name == router)
    weights = {node.name: node.ecmp_weight for node in plan.nodes}
    times = {*groups.times, *(time_us for steps in at_node.values() for time_us in steps.times)}
    since_us = history.announced[router, prefix]
    for time_us in sorted(time_us for time_us in times if time_us >= since_us):
        members = groups.at(time_us)
        if not members:
            yield _Hole(time_us, "no-route", 1.0, origins)
            continue
        lost = [at_node[node].at(time_us) for node in members]
        if not any(loss.fraction for loss in lost):
            yield _Hole(time_us, None, 0.0, ())
            continue
        shares = next_hop_group(kind, tuple(weights[node] for node in members)).shares()
        cause = min((loss.cause for loss in lost if loss.cause), key=_ORDER.index)
        share = fsum(share * loss.fraction for share, loss in zip(shares, lost, strict=True))
        yield _Hole(time_us, cause, share, tuple(dict.fromkeys(node for loss in lost for node in loss.nodes)))


def _intervals(holes: list[_Hole], horizon_us: int) -> Iterator[tuple[Cause, _Hole, int | None]]:
    """The longest intervals of one cause and share with their ends, None where the horizon cuts them off."""
    steps: Steps[tuple[Cause | None, float]] = Steps((None, 0.0))
    nodes: dict[int, tuple[str, ...]] = {}
    for hole in holes:
        start_us = max(hole.start_us, 0)
        steps.set(start_us, (hole.cause, hole.share))
        nodes[start_us] = hole.nodes
    ends = [*steps.times[1:], None]
    for start_us, end_us, (cause, share) in zip(steps.times, ends, steps.values, strict=True):
        if cause is not None and start_us < horizon_us:
            yield cause, _Hole(start_us, cause, share, nodes[start_us]), end_us


def _windows(
    holes: list[_Hole], horizon_us: int, router: str, prefix: str, service: str | None, faults: FaultLog
) -> Iterator[Window]:
    outage, last_end_us, fault = -1, None, None
    for cause, (start_us, _, share, nodes), end_us in _intervals(holes, horizon_us):
        if start_us != last_end_us:
            outage += 1
            fault = faults.latest(start_us, router, nodes)
        last_end_us = end_us
        duration_us = (horizon_us if end_us is None else end_us) - start_us
        require(duration_us > 0, f"a window of {prefix} at {router} ends after it starts")
        require(0 < share <= 1, f"a window of {prefix} at {router} loses {share} of the traffic")
        yield Window(
            router=router,
            prefix=prefix,
            service=service,
            fault=fault.fault if fault else None,
            cause=cause,
            outage=outage,
            start_us=start_us,
            end_us=end_us,
            duration_us=duration_us,
            since_fault_us=start_us - fault.time_us if fault else None,
            share=share,
            lost_traffic_us=share * duration_us,
            censored=end_us is None,
        )
