"""What stands in the way of a prefix's traffic at one router: the one place that knows the order of the obstacles."""

from math import fsum
from typing import Literal, NamedTuple

from simbgp.scenario.plan import Plan, ServicePlan
from simbgp.traffic.answers import exits, leave_by_themselves, lost_of
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.history import History, View
from simbgp.traffic.inflow import Inflow
from simbgp.traffic.steps import Steps

Cause = Literal["no-route", "link", "dead-next-hop", "dead-backend", "no-backend"]
ORDER: tuple[Cause, ...] = ("no-route", "link", "dead-next-hop", "dead-backend", "no-backend")
"""Causes in the order in which a packet meets them."""


class Obstacle(NamedTuple):
    """What becomes of the traffic sent to one node: ``lost`` of it is, the first ``cause`` names, 0.0 and None if none.

    ``backends`` are those whose absence is part of it: dead and still picked, or all of a service that has none, and
    those of them that live, but whose answers are lost on a link of their own node, are ``unheard``.
    """

    cause: Cause | None
    lost: float
    backends: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()


CLEAR = Obstacle(None, 0.0)
_DEAD_NEXT_HOP = Obstacle("dead-next-hop", 1.0)
_ALWAYS_CLEAR = Steps(CLEAR)


def met(lost_share: float, forwards: bool, behind: Obstacle) -> Obstacle:
    """The obstacles on a way that loses ``lost_share`` to a node with ``behind`` behind its load balancer."""
    at_node = behind if forwards else _DEAD_NEXT_HOP
    if lost_share == 0.0:
        return at_node
    if lost_share == 1.0:
        return Obstacle("link", 1.0)
    return Obstacle("link", lost_share + (1.0 - lost_share) * at_node.lost, at_node.backends, at_node.unheard)


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
        self._plan, self._history = plan, history
        self.inflow = Inflow(plan, history)
        self._services = {prefix: service for service in history.services for prefix in service.prefixes}
        self._balancers = {service.name: Balancer(plan.load_balancer, service) for service in history.services}
        self._behind: dict[tuple[str, str, View], Steps[Obstacle]] = {}

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

    def lost_share(self, router: str, node: str, service: ServicePlan | None) -> Steps[float]:
        """What vanishes between router and node of questions, and of answers too if these take the same way."""
        if service is not None and leave_by_themselves(self._plan, service):
            return self._history.crossings.lost_to_node(router, node)
        return self._history.lost_share(router, node)

    def behind(self, service: ServicePlan | None, view: View | None, router: str) -> Steps[Obstacle]:
        """What becomes of picks from ``view`` for the clients of a router, as a function of time."""
        if service is None or view is None:
            return _ALWAYS_CLEAR
        if (service.name, router, view) not in self._behind:
            self._behind[service.name, router, view] = self._picks(service, view, router)
        return self._behind[service.name, router, view]

    def _next_hop(
        self, router: str, node: str, service: ServicePlan | None, share: float, skipped: bool, time_us: int
    ) -> NextHop:
        history = self._history
        view = history.view(node, service.name).at(time_us) if service else None
        obstacle = met(
            self.lost_share(router, node, service).at(time_us),
            history.forwarding(node).at(time_us),
            self.behind(service, view, router).at(time_us),
        )
        return NextHop(node, share, skipped, obstacle, None if view is None else len(view))

    def _picks(self, service: ServicePlan, view: View, router: str) -> Steps[Obstacle]:
        if not view:
            return Steps(Obstacle("no-backend", 1.0, tuple(backend.name for backend in service.backends)))
        lives = {name: life for name, life in self._history.mortal(service.name).items() if name in view.names}
        changes = [
            (at, name, _Trouble(bool(life % 2), None))
            for name, steps in lives.items()
            for at, life in zip(steps.times, steps.values, strict=True)
        ]
        for name, heard in self._unheard(service, view, router).items():
            changes += [(at, name, _Trouble(None, lost)) for at, lost in zip(heard.times, heard.values, strict=True)]
        if not changes:
            return _ALWAYS_CLEAR
        chances, of_all = self._balancers[service.name].chances(view.backends)
        steps, dead, unheard = Steps(CLEAR), dict[str, int](), dict[str, float]()
        for time_us, name, (dies, lost) in sorted(changes, key=lambda change: change[:2]):
            if dies is not None:
                dead.pop(name, None)
                if dies:
                    dead[name] = chances[name]
            elif lost is not None:
                unheard.pop(name, None)
                if lost:
                    unheard[name] = chances[name] * lost
            steps.set(time_us, _of_picks(dead, unheard, of_all))
        return steps

    def _unheard(self, service: ServicePlan, view: View, router: str) -> dict[str, Steps[float]]:
        """Of each backend whose answers are ever lost on a way of their own: the share that is."""
        if not leave_by_themselves(self._plan, service):
            return {}
        found: dict[str, Steps[float]] = {}
        for backend in service.backends:
            if backend.name in view.names:
                shares = exits(self._history, router, backend.node)
                lost = Steps(0.0)
                for time_us, each in zip(shares.times, shares.values, strict=True):
                    lost.set(time_us, lost_of(each))
                if lost.values != [0.0]:
                    found[backend.name] = lost
        return found


class _Trouble(NamedTuple):
    """A change for a backend: whether it is dead, or what is lost of its answers; None: as before."""

    is_dead: bool | None
    lost: float | None


def _of_picks(dead: dict[str, int], unheard: dict[str, float], of_all: int) -> Obstacle:
    """What becomes of picks of which so many of all fall on dead backends, and on those that are not heard."""
    living = {name: hit for name, hit in unheard.items() if name not in dead}
    hit = sum(dead.values())
    if living:
        return Obstacle("link", fsum((hit, *living.values())) / of_all, (*dead, *living), tuple(living))
    return Obstacle("dead-backend", hit / of_all, tuple(dead)) if hit else CLEAR


def obstacles(plan: Plan, history: History, router: str, prefix: str, time_us: int) -> list[NextHop]:
    """What the traffic of a prefix meets behind each next hop that it has at a router at a moment.

    Raises KeyError for a prefix that was never announced there.
    """
    return Obstacles(plan, history).at(router, prefix, time_us)
