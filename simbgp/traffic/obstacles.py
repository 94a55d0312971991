"""What stands in the way of a prefix's traffic at one router: the one place that knows the order of the obstacles."""

from typing import Literal, NamedTuple

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.history import History, View
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.steps import Steps

Cause = Literal["no-route", "link", "dead-next-hop", "dead-backend", "no-backend"]
ORDER: tuple[Cause, ...] = ("no-route", "link", "dead-next-hop", "dead-backend", "no-backend")
"""Causes in the order in which a packet meets them."""


class Obstacle(NamedTuple):
    """What becomes of the traffic sent to one node: ``lost`` of it is, the first ``cause`` names, 0.0 and None if none.

    ``backends`` are those whose absence is part of it: dead and still picked, or all of a service that has none.
    """

    cause: Cause | None
    lost: float
    backends: tuple[str, ...] = ()


CLEAR = Obstacle(None, 0.0)
_DEAD_NEXT_HOP = Obstacle("dead-next-hop", 1.0)
_ALWAYS_CLEAR = Steps(CLEAR)


def met(lost_share: float, forwards: bool, behind: Obstacle) -> Obstacle:
    """The obstacles on a way that loses ``lost_share`` to a node with ``behind`` behind its load balancer."""
    at_node = behind if forwards else _DEAD_NEXT_HOP
    if lost_share == 0.0:
        return at_node
    return Obstacle("link", lost_share + (1.0 - lost_share) * at_node.lost, at_node.backends if lost_share < 1 else ())


class NextHop(NamedTuple):
    """A next hop of a prefix at one moment: ``share`` of the prefix's traffic is sent to it, 0.0 if it is ``skipped``
    because its neighbour entry failed. ``picks_among`` is how many backends its load balancer knows, None for PodCIDRs.
    """

    node: str
    share: float
    skipped: bool
    obstacle: Obstacle
    picks_among: int | None


class Obstacles:
    """The obstacles of one run."""

    def __init__(self, plan: Plan, history: History) -> None:
        self._history = history
        self.inflow = Inflow(plan, history)
        self._services = {prefix: service for service in history.services for prefix in service.prefixes}
        self._balancers = {service.name: Balancer(plan.load_balancer, service) for service in history.services}
        self._behind: dict[tuple[str, View], Steps[Obstacle]] = {}

    def service(self, prefix: str) -> ServicePlan | None:
        """The service behind a prefix; None for a PodCIDR."""
        return self._services.get(prefix)

    def at(self, router: str, prefix: str, time_us: int) -> list[NextHop]:
        """The next hops of an announced prefix at a moment, in the group's order; none: all traffic has no route."""
        hops = self._history.groups(router, prefix).at(time_us)
        if not hops.members:
            return []
        service = self.service(prefix)
        spread = self.inflow.spread(router, prefix, time_us)
        unit = spread.total or 1
        return [
            self._next_hop(router, node, service, size / unit, node in hops.skipped, time_us)
            for node, size in zip(hops.members, spread.sizes, strict=True)
        ]

    def behind(self, service: ServicePlan | None, view: View | None) -> Steps[Obstacle]:
        """What becomes of picks from ``view``, as a function of time."""
        if service is None or view is None:
            return _ALWAYS_CLEAR
        if (service.name, view) not in self._behind:
            self._behind[service.name, view] = self._picks(service, view)
        return self._behind[service.name, view]

    def _next_hop(
        self, router: str, node: str, service: ServicePlan | None, share: float, skipped: bool, time_us: int
    ) -> NextHop:
        history = self._history
        view = history.view(node, service.name).at(time_us) if service else None
        obstacle = met(
            history.lost_share(router, node).at(time_us),
            history.forwarding(node).at(time_us),
            self.behind(service, view).at(time_us),
        )
        return NextHop(node, share, skipped, obstacle, None if view is None else len(view))

    def _picks(self, service: ServicePlan, view: View) -> Steps[Obstacle]:
        if not view:
            return Steps(Obstacle("no-backend", 1.0, tuple(backend.name for backend in service.backends)))
        lives = {name: life for name, life in self._history.mortal(service.name).items() if name in view.names}
        changes = sorted(
            (at, name, life % 2) for name, s in lives.items() for at, life in zip(s.times, s.values, strict=True)
        )
        if not changes:
            return _ALWAYS_CLEAR
        chances, of_all = self._balancers[service.name].chances(view.backends)
        steps, dead = Steps(CLEAR), dict[str, int]()
        for time_us, name, is_dead in changes:
            dead.pop(name, None)
            if is_dead:
                dead[name] = chances[name]
            hit = sum(dead.values())
            steps.set(time_us, Obstacle("dead-backend", hit / of_all, tuple(dead)) if hit else CLEAR)
        return steps


def obstacles(plan: Plan, history: History, router: str, prefix: str, time_us: int) -> list[NextHop]:
    """What the traffic of a prefix meets behind each next hop that it has at a router at a moment.

    Raises KeyError for a prefix that was never announced there.
    """
    return Obstacles(plan, history).at(router, prefix, time_us)
