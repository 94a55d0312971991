"""The network of one run, second by second: what stands where, in words that a page draws and reads out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from simbgp.report.numbers import count, listed, percent
from simbgp.report.page.losses import write_losses
from simbgp.report.page.tracks import Tracks
from simbgp.report.spans import Span
from simbgp.scenario import Plan
from simbgp.timeline import (
    AgentChanged,
    BackendAdded,
    BackendChanged,
    Fact,
    ForwardingChanged,
    NeighbourChanged,
    PathChanged,
    RouteChanged,
    SessionChanged,
    Timeline,
)

MOST_ROWS = 16
"""Nodes that a picture shows with their links; of more it shows each as a cell."""
_MOST_NAMES = 4
MOST_OTHERS = 8
"""If the next hops of more PodCIDRs than these change, only what is lost of them is told."""
_END = {"established": "up", "idle": "down"}
"""How an end of a session is drawn; any other state is one on the way."""


@dataclass(slots=True)
class _Node:
    forwards: bool = True
    agent: bool = True


@dataclass(slots=True)
class _Pair:
    """A node as a router knows it."""

    ends: dict[str, str]
    routes: dict[str, str] = field(default_factory=dict)
    """``fresh`` or ``stale`` for each prefix of which the node is a next hop."""
    lost_share: float = 0.0
    reachable: bool = True


def network(plan: Plan, timeline: Timeline, holes: Iterable[Span]) -> Tracks:
    """The tracks of a run; ``holes`` are its windows.

    ``node NAME``, ``link ROUTER NODE``, ``end ROUTER NODE SIDE``, ``entry ROUTER SERVICE`` are what a picture shows,
    ``cell NAME`` in place of the first three where there are more than `MOST_ROWS` nodes;
    ``says nodes``, ``says sessions ROUTER``, ``says hops ROUTER PREFIX``, ``says lost ROUTER`` and
    ``says backends SERVICE`` are sentences.
    """
    walk = _Walk(plan, timeline)
    for time_us, facts in groupby(timeline, key=attrgetter("time_us")):
        for fact in facts:
            walk.take(fact)
        walk.write(time_us)
    write_losses(plan, walk.tracks, holes)
    return walk.tracks


class _Walk:
    """One pass over the facts; what an instant touched is written once it is over."""

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        self.tracks = Tracks()
        self._nodes = {node.name: _Node(forwards=not node.joins, agent=not node.joins) for node in plan.nodes}
        self._joining = {node.name for node in plan.nodes if node.joins}
        self._pairs = self._first_pairs(plan, timeline)
        self._many = len(plan.nodes) > MOST_ROWS
        self._of_router: dict[str, list[str]] = {router.name: [] for router in plan.routers}
        self._of_node: dict[str, list[str]] = {node.name: [] for node in plan.nodes}
        for router, node in self._pairs:
            self._of_router[router].append(node)
            self._of_node[node].append(router)
        self._hops: dict[tuple[str, str], dict[str, str]] = {}
        self._backends = {s.name: {b.name for b in s.backends if not b.late} for s in plan.services}
        self._known = {name: len(backends) for name, backends in self._backends.items()}
        for router, prefixes in timeline.start.next_hops.items():
            for prefix, members in prefixes.items():
                for node in members:
                    self._route(router, prefix, node, "fresh")
        self._owners = {prefix: service.name for service in plan.services for prefix in service.prefixes}
        self._prefixes = self._told(plan, timeline)
        self._touched: set[tuple[str, ...]] = set()
        self._begin()

    def _first_pairs(self, plan: Plan, timeline: Timeline) -> dict[tuple[str, str], _Pair]:
        pairs = {}
        for peering in plan.peerings:
            begun = "idle" if plan.cold_start or peering.node in self._joining else "established"
            pairs[peering.router, peering.node] = _Pair({"router": begun, "node": begun})
        for fact in reversed(timeline.of(SessionChanged)):  # the first of each end has the last word
            if (fact.router, fact.node) in pairs:
                pairs[fact.router, fact.node].ends[fact.side] = fact.from_state
        return pairs

    def _told(self, plan: Plan, timeline: Timeline) -> list[tuple[str, str]]:
        """The prefixes to speak of: those of services and those that change, by router."""
        served = {(p.router, prefix): None for p in plan.peerings for prefix in p.prefixes if prefix in self._owners}
        changed = dict.fromkeys((fact.router, fact.prefix) for fact in timeline.of(RouteChanged))
        others = [place for place in changed if place not in served]
        return [*served, *(others if len(others) <= MOST_OTHERS else [])]

    def _begin(self) -> None:
        begin = self.tracks.begin
        begin("says nodes", self._say_nodes())
        for router in self._of_router:
            begin(f"says sessions {router}", self._say_sessions(router))
        for router, prefix in self._prefixes:
            begin(f"says hops {router} {prefix}", self._say_hops(router, prefix))
        for service in self._backends:
            begin(f"says backends {service}", self._say_backends(service))
        for node in self._nodes:
            begin(
                f"cell {node}" if self._many else f"node {node}", self._cell(node) if self._many else self._node(node)
            )
        for router, node in () if self._many else self._pairs:
            begin(f"link {router} {node}", self._link(router, node))
            for side in ("router", "node"):
                begin(f"end {router} {node} {side}", self._end(router, node, side))

    def take(self, fact: Fact) -> None:
        """Take in one fact."""
        touch = self._touched.add
        match fact:
            case SessionChanged(_, router, node, side, _, to_state) if (router, node) in self._pairs:
                self._pairs[router, node].ends[side] = to_state
                touch(("end", router, node, side))
                touch(("sessions", router))
            case RouteChanged(_, router, prefix, node, event):
                self._route(router, prefix, node, {"withdrawn": "none", "stale": "stale"}.get(event, "fresh"))
                if (router, node) in self._pairs:
                    touch(("link", router, node))
                touch(("hops", router, prefix))
            case PathChanged(_, router, node, lost_share) if (router, node) in self._pairs:
                self._pairs[router, node].lost_share = lost_share
                touch(("link", router, node))
                touch(("nodes",))
            case NeighbourChanged(_, router, node, reachable) if (router, node) in self._pairs:
                self._pairs[router, node].reachable = reachable
                touch(("link", router, node))
                touch(("nodes",))
            case ForwardingChanged(_, node, up):
                self._nodes[node].forwards = up
                self._joining.discard(node)
                self._touch_node(node)
            case AgentChanged(_, node, up):
                self._nodes[node].agent = up
                self._joining.discard(node)
                self._touch_node(node)
            case BackendAdded(_, service, backend):
                self._backends[service].add(backend)
                self._known[service] = max(self._known[service], len(self._backends[service]))
                touch(("backends", service))
            case BackendChanged(_, service, backend, alive):
                (self._backends[service].add if alive else self._backends[service].discard)(backend)
                touch(("backends", service))

    def _touch_node(self, node: str) -> None:
        self._touched.add(("node", node))
        self._touched.add(("nodes",))
        self._touched.update(("link", router, node) for router in self._of_node[node])

    def _route(self, router: str, prefix: str, node: str, state: str) -> None:
        hops = self._hops.setdefault((router, prefix), {})
        pair = self._pairs.get((router, node))
        for known, key in [(hops, node)] + ([(pair.routes, prefix)] if pair else []):
            if state == "none":
                known.pop(key, None)
            elif state == "fresh" or key in known:
                known[key] = state

    def write(self, time_us: int) -> None:
        """Write what the instant touched."""
        for thing in sorted(self._touched):
            match thing:
                case ("node" | "link" | "end", *_) if self._many:
                    node = thing[2] if len(thing) > 2 else thing[1]
                    self.tracks.set(f"cell {node}", time_us, self._cell(node))
                case ("node", node):
                    self.tracks.set(f"node {node}", time_us, self._node(node))
                case ("link", router, node):
                    self.tracks.set(f"link {router} {node}", time_us, self._link(router, node))
                case ("end", router, node, side):
                    self.tracks.set(f"end {router} {node} {side}", time_us, self._end(router, node, side))
                case ("nodes",):
                    self.tracks.set("says nodes", time_us, self._say_nodes())
                case ("sessions", router):
                    self.tracks.set(f"says sessions {router}", time_us, self._say_sessions(router))
                case ("hops", router, prefix) if f"says hops {router} {prefix}" in self.tracks:
                    self.tracks.set(f"says hops {router} {prefix}", time_us, self._say_hops(router, prefix))
                case ("backends", service):
                    self.tracks.set(f"says backends {service}", time_us, self._say_backends(service))
        self._touched.clear()

    def _node(self, name: str) -> str:
        node = self._nodes[name]
        if name in self._joining:
            return "absent"
        return "silent" if not node.forwards else "up" if node.agent else "agentless"

    def _cell(self, name: str) -> str:
        """The node and the worst of its links and sessions in one word."""
        state, pairs = self._node(name), [self._pairs[router, name] for router in self._of_node[name]]
        if state != "up":
            return state
        if any(set(pair.ends.values()) != {"established"} for pair in pairs):
            return "parted"
        return "stale" if any("stale" in pair.routes.values() for pair in pairs) else "up"

    def _link(self, router: str, node: str) -> str:
        pair = self._pairs[router, node]
        route = "none" if not pair.routes else "stale" if "stale" in pair.routes.values() else "fresh"
        hurt = pair.lost_share > 0 or not self._nodes[node].forwards
        skipped = bool(pair.routes) and not pair.reachable
        return " ".join([route, *(["lost"] if hurt else []), *(["skipped"] if skipped else [])])

    def _end(self, router: str, node: str, side: str) -> str:
        return _END.get(self._pairs[router, node].ends[side], "trying")

    def _say_nodes(self) -> str:
        told = []
        for word, names in (
            ("not there yet", [name for name in self._nodes if name in self._joining]),
            ("silent", [name for name in self._nodes if self._node(name) == "silent"]),
            (
                "agent down",
                [name for name, node in self._nodes.items() if not node.agent and name not in self._joining],
            ),
        ):
            told += [f"{word}: {listed(names, _MOST_NAMES)}"] if names else []
        for (router, node), pair in self._pairs.items():
            if pair.lost_share:
                told.append(f"{percent(pair.lost_share)} of the packets between {router} and {node} vanish")
            if not pair.reachable:
                told.append(f"{router} cannot resolve {node}")
        rest = f" and {len(told) - 2 * _MOST_NAMES} more" if len(told) > 2 * _MOST_NAMES else ""
        return (
            "; ".join(told[: 2 * _MOST_NAMES]) + rest
            if told
            else f"all {count(len(self._nodes))} forward, all agents run"
        )

    def _say_sessions(self, router: str) -> str:
        nodes = self._of_router[router]
        told = []
        for side, of in (("router", "here"), ("node", "at the node")):
            away = [(node, self._pairs[router, node].ends[side]) for node in nodes]
            away = [(node, state) for node, state in away if state != "established"]
            if away:
                states = listed([f"{node} {state}" for node, state in away], _MOST_NAMES)
                told.append(f"{of} {count(len(nodes) - len(away))} of {count(len(nodes))} established, {states}")
        return "; ".join(told) or f"all {count(len(nodes))} established at both ends"

    def _say_hops(self, router: str, prefix: str) -> str:
        hops = self._hops.get((router, prefix), {})
        if not hops:
            return "no next hop"
        told = f"{count(len(hops))} ({listed(sorted(hops), _MOST_NAMES)})"
        stale = sorted(node for node, state in hops.items() if state == "stale")
        return f"{told}, stale: {listed(stale, _MOST_NAMES)}" if stale else f"{told}, none stale"

    def _say_backends(self, service: str) -> str:
        return f"{count(len(self._backends[service]))} of {count(self._known[service])} alive"
