"""A run told in a few sentences, in time order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from simbgp.report.numbers import count, listed, percent, plural
from simbgp.timeline import (
    AddressGiven,
    BackendAdded,
    ConntrackLost,
    Fact,
    FaultBegan,
    FaultEnded,
    ForwardingChanged,
    NeighbourChanged,
    OperatorChanged,
    PathChanged,
    ProcedureEnded,
    RolloutAdvanced,
    RouteChanged,
    SessionChanged,
    SpineChanged,
    Start,
    Timeline,
    ViewChanged,
)

_TOGETHER_US = 2_000_000
"""Facts of one kind within this time are one sentence."""
_ROLLOUT = "rollout"
"""The kind of which only the first fact is told."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happened at ``time_us``; of two sentences the one with the lower ``rank`` matters more."""

    time_us: int
    rank: int
    text: str


@dataclass(slots=True)
class _Group:
    """Facts that make one sentence: the same of several ``things``."""

    time_us: int
    rank: int
    say: Callable[[list[str]], str]
    things: list[str] = field(default_factory=list)


def tell(timeline: Timeline, more: Iterable[Sentence] = (), most: int = 15) -> list[Sentence]:
    """The run in at most ``most`` sentences; those of ``more`` (what the reader came for) are woven in.

    Where there are too many, those of the highest rank go first, the latest of them first.
    """
    sentences = sorted([*_sentences(timeline), *more], key=lambda said: said.time_us)
    while len(sentences) > most:
        worst = max(said.rank for said in sentences)
        place = max(place for place, said in enumerate(sentences) if said.rank == worst)
        del sentences[place]
    return sentences


def _sentences(timeline: Timeline) -> Iterator[Sentence]:
    groups: dict[tuple[object, ...], _Group] = {}
    told: list[_Group] = []
    paths: dict[tuple[str, str], PathChanged] = {}
    for fact in timeline:
        for key, rank, thing, say in _read(fact, timeline.start, paths):
            group = groups.get(key)
            if group is None or (fact.time_us - group.time_us > _TOGETHER_US and key[0] != _ROLLOUT):
                group = groups[key] = _Group(fact.time_us, rank, say)
                told.append(group)
            if thing not in group.things:
                group.things.append(thing)
    return (Sentence(group.time_us, group.rank, group.say(group.things)) for group in told)


_Reading = tuple[tuple[object, ...], int, str, Callable[[list[str]], str]]
"""What facts of one sentence have in common, its rank, what differs, and the sentence."""


def _read(fact: Fact, start: Start, paths: dict[tuple[str, str], PathChanged]) -> Iterator[_Reading]:
    match fact:
        case RolloutAdvanced(_, fault, upgraded, nodes):
            done = f", {count(upgraded)} of them done" if upgraded else ""
            begins = f"agent-upgrade of {plural(nodes, 'node')} begins{done}"
            yield (_ROLLOUT, fault), 0, "", lambda things: begins
        case FaultBegan(_, fault, "agent-upgrade" as kind, nodes):
            yield ("began", fault, kind), 3, listed(list(nodes)), lambda things: f"{kind}: {listed(things)}"
        case FaultEnded(_, fault, "agent-upgrade" as kind, nodes):
            yield ("ended", fault, kind), 3, listed(list(nodes)), lambda things: f"{kind} is over: {listed(things)}"
        case FaultBegan(_, fault, kind, nodes, routers, service):
            where = service or listed([*nodes, *routers])
            yield ("began", fault, kind), 0, where, lambda things: _of(kind, things)
        case FaultEnded(_, fault, kind, nodes, routers):
            where = listed([*nodes, *routers])
            yield ("ended", fault, kind), 1, where, lambda things: _of(f"{kind} is over", things)
        case SessionChanged():
            yield from _session(fact, start)
        case RouteChanged():
            yield from _route(fact, start)
        case ForwardingChanged(_, node, up):
            known = any(_again(start, router, node) for router in start.next_hops)
            how = " again" if up and known else "" if up else " nothing any more"
            yield ("forwarding", how), 2, node, lambda things: _do(things, f"forwards{how}", f"forward{how}")
        case SpineChanged(_, spine, prefix, router, sends):
            word = "sends to" if sends else "no longer sends to"
            yield (
                ("spine", router, spine, sends),
                2,
                prefix,
                lambda things: f"{spine} {word} {router}: {listed(things)}",
            )
        case PathChanged():
            yield from _path(fact, paths.get((fact.router, fact.node)))
            paths[fact.router, fact.node] = fact
        case NeighbourChanged(_, router, node, reachable):
            word = "has resolved" if reachable else "cannot resolve"
            then = "" if reachable else ": the next in their groups get what was sent there"
            key = "neighbour", router, reachable
            yield key, 2, node, lambda things: f"{router} {word} {listed(things)}{then}"
        case ProcedureEnded(_, fault):
            yield ("done", fault), 1, str(fault), lambda things: "the last step of the procedure is done"
        case BackendAdded(_, service, backend, node):
            yield (
                ("joined", service, node),
                3,
                backend,
                lambda things: f"{_do(things, 'joins', 'join')} {service} on {node}",
            )
        case ConntrackLost(_, node):
            yield (
                ("conntrack",),
                4,
                node,
                lambda things: _do(things, "has forgotten its connections", "have forgotten their connections"),
            )
        case AddressGiven(_, service, prefixes):
            yield ("given", service), 2, service, lambda things: f"{service} has its address: {listed(list(prefixes))}"
        case OperatorChanged(_, acts):
            word = "an operator acts again" if acts else "no operator acts any more"
            yield ("operator", acts), 2, "", lambda things: word
        case ViewChanged(_, node, service, _, backends):
            what = f"among {plural(len(backends), 'backend')} of {service}"
            yield ("view", service, backends), 3, node, lambda things: f"{_do(things, 'now picks', 'now pick')} {what}"


def _path(fact: PathChanged, before: PathChanged | None) -> Iterator[_Reading]:
    """What vanishes between a router and nodes, and which way if it is only one; of a link on which as much vanished
    before, whether it has carrier."""
    router, lost = fact.router, fact.lost_share
    if before is not None and (lost, *_ways(fact)) == (before.lost_share, *_ways(before)):
        if fact.carrier != before.carrier:
            word = "has carrier again, and packets still vanish" if fact.carrier else "loses its carrier too"
            dark = "carrier", router, fact.carrier
            yield dark, 2, fact.node, lambda things: f"the link between {router} and {listed(things)} {word}"
        return
    what = "packets" if lost in (0.0, 1.0) else f"{percent(lost)} of the packets"
    word = "vanish" if lost else "pass again"
    where = "between {router} and {nodes}"
    if lost and not fact.lost_to_router:
        where = "from {router} to {nodes}"
    elif lost and not fact.lost_to_node:
        where = "from {nodes} to {router}"
    key = "path", router, lost, *_ways(fact)
    yield key, 2, fact.node, lambda things: f"{what} {where.format(router=router, nodes=listed(things))} {word}"


def _ways(fact: PathChanged) -> tuple[float, float]:
    return fact.lost_to_node, fact.lost_to_router


def _again(start: Start, router: str, node: str, prefix: str | None = None) -> bool:
    """Whether a router had the node as a next hop, of a prefix or of any, when the run began."""
    table = start.next_hops.get(router, {})
    return node in table.get(prefix, ()) if prefix else any(node in nodes for nodes in table.values())


def _do(things: list[str], one: str, several: str) -> str:
    """``a joins``, ``a, b join``."""
    return f"{listed(things)} {one if len(things) == 1 else several}"


def _of(what: str, things: list[str]) -> str:
    """``agent-crash: worker-1``; the operator has no place of its own."""
    return f"{what}: {listed(things)}" if any(things) else what


def _session(fact: SessionChanged, start: Start) -> Iterator[_Reading]:
    router, reason, rank = fact.router, fact.reason, 1 if fact.side == "router" else 4
    if fact.from_state == "established":
        if fact.side == "router":
            key = "lost", router, reason
            yield key, rank, fact.node, lambda things: f"{router} loses the session with {listed(things)}: {reason}"
        else:
            key = "node lost", router, reason
            yield (
                key,
                rank,
                fact.node,
                lambda things: f"{_do(things, 'no longer has', 'no longer have')} the session with {router}: {reason}",
            )
    elif fact.to_state == "established" and fact.side == "router":
        again = " again" if _again(start, router, fact.node) else ""
        yield (
            ("up", router, again),
            rank,
            fact.node,
            lambda things: f"{router} has the session with {listed(things)}{again}",
        )


def _route(fact: RouteChanged, start: Start) -> Iterator[_Reading]:
    router, node = fact.router, fact.node
    again = " again" if _again(start, router, node, fact.prefix) else ""
    words = {
        "added": (2, f"{router} forwards to {node}{again}:"),
        "withdrawn": (2, f"{router} no longer forwards to {node}:"),
        "stale": (3, f"{router} keeps the routes of {node} as stale:"),
        "refreshed": (4, f"{router} hears again from {node} of"),
    }
    rank, opening = words[fact.event]
    yield (fact.event, router, node, opening), rank, fact.prefix, lambda things: f"{opening} {listed(things)}"
