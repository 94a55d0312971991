"""Processes expanded: what fails by chance in a run (``background``), and in a year (``failures``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simbgp.profiles import Law
from simbgp.scenario.fault_plans import UNTIL, options_of
from simbgp.scenario.incidents import Incident, IncidentBook
from simbgp.scenario.layout import Layout
from simbgp.scenario.plan import FaultPlan, Incidents, MixPlan, ProcessPlan
from simbgp.scenario.schema import Document, FailuresBase, MixEntry, mix_entries
from simbgp.scenario.schema.processes import MIX, MIX_MODELS
from simbgp.scenario.selectors import ALL, Selector

_AT_ONCE = Law.constant(0.0)
_PLANNING = "planning assumption"
_PIECES = 200
_NEARLY_ALL = 1 - 1e-4


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken for granted of a kind of failure: how often a year each target, and for how long."""

    per_year: float
    lasts: Law


PLANNING: Mapping[str, Assumed] = {
    # upgrades and changes of settings; from the container's end to its next start, the image being there
    "agent-restart": Assumed(8.0, Law("lognormal", (15.0, 75.0))),
    "agent-crash": Assumed(1.0, Law("lognormal", (10.0, 60.0))),
    # Dean, LADIS 2009 keynote: of machines in their first year, 0.2 to 0.5 failures each; repair takes hours
    "node-down": Assumed(0.3, Law("uniform", (3600.0, 6 * 3600.0))),
    # kernel and firmware: 4 to 12 reboots a year
    "node-drain": Assumed(6.0, Law("uniform", (180.0, 600.0))),
    # Gill, SIGCOMM 2011: links of servers and racks fail seldom, median repair 5 minutes
    "link-down": Assumed(0.1, Law("lognormal", (300.0, 1800.0))),
    # maintenance of a router's control plane: 1 to 4 a year
    "router-restart": Assumed(2.0, Law("uniform", (20.0, 120.0))),
    # Gill, SIGCOMM 2011: 5 % of top-of-rack switches fail in a year; minutes to hours
    "router-down": Assumed(0.05, Law("uniform", (600.0, 2 * 3600.0))),
    "operator-down": Assumed(1.0, Law.constant(600.0)),
    # nobody has published how long agents and routers get no CPU: measure this first
    "stall": Assumed(52.0, Law("lognormal", (1.0, 8.0))),
    "router-stall": Assumed(12.0, Law("lognormal", (1.0, 6.0))),
}
"""A year's failures where nobody says otherwise: assumptions to plan with, not measurements."""


def background_plans(document: Document, layout: Layout) -> tuple[ProcessPlan, ...]:
    """The processes of a scenario."""
    plans = []
    for place, (name, written) in enumerate(zip(process_names(document), document.background, strict=True)):
        lasts = _lasts(written)
        fault = _fault(name, written.kind, written, layout, lasts and _with_pull(written, lasts))
        source = f"background {place}"
        plans.append(ProcessPlan(fault, written.rate, _targets(fault), source))
    return tuple(plans)


def process_names(document: Document) -> list[str]:
    """The names of the processes: their own, else that of their kind, the second of it with a number."""
    taken = {fault.name for fault in document.faults if fault.name is not None}
    names: list[str] = []
    for process in document.background:
        names.append(_free(process.name or process.kind, {*taken, *names}))
    return names


def _free(name: str, taken: set[str]) -> str:
    return next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}-{n}") not in taken)


def mix_plan(document: Document, layout: Layout, book: IncidentBook, *, bare: bool) -> MixPlan:
    """The failures of a year: those of ``background``, those written, those of the log, and else assumptions."""
    failures, background = document.failures, background_plans(document, layout)
    written = mix_entries(failures)
    covered = {process.fault.kind for process in background}
    assumes = failures is None or failures.assume == "planning"
    processes, notes = list(background), []
    for name in MIX:
        entry, incidents = written.get(name), book.of(name)
        if entry is None and not incidents:
            if not assumes or MIX[name] in covered:
                continue
            if why := _senseless(name, document, bare):
                notes.append(f"{name} is left out: {why}")
                continue
        processes.append(_of_mix(name, entry, incidents, layout, book))
    judged = failures or FailuresBase()
    return MixPlan(tuple(processes), judged.availability, judged.broken_connection, (*notes, *book.notes))


def _senseless(name: str, document: Document, bare: bool) -> str | None:
    """Why an assumption about ``name`` would say nothing of the settings."""
    if name == "router-down" and not document.fabric:
        return "without fabric nobody above leaves a dead router, and what enters there is lost whatever the settings"
    if name == "operator-down" and bare:
        return f"{document.cluster.cilium} has no operator"
    return None


def _of_mix(name: str, written: Any, incidents: list[Incident], layout: Layout, book: IncidentBook) -> ProcessPlan:
    assumed, entry = PLANNING[name], written or MIX_MODELS[name]()
    lengths = tuple(incident.lasts_s for incident in incidents if incident.lasts_s is not None)
    own = _lasts(entry)
    lasts = own or (Law("empirical", lengths) if lengths else assumed.lasts)
    fault = _fault(name, MIX[name], entry, layout, _with_pull(entry, lasts))
    targets = _targets(fault)
    seen = Incidents(len(incidents), book.years * targets) if book.years else None
    rate, source = entry.rate, "scenario"
    if rate is None and incidents:
        rate, source = len(incidents) / (book.years * targets), f"{book.file}: {len(incidents)} in {seen_in(seen)}"
    elif rate is None:
        rate, source = assumed.per_year, _PLANNING
        if seen is not None:
            source += f"; none in {seen_in(seen)} of the log, so at most {3 / seen.years:.2g} a year"
    durations = "" if own or not lengths else f"; {len(lengths)} durations of the log"
    if written is not None and own is None and not lengths:
        durations = "; durations: planning assumption"
    assumed_rate = entry.rate is None and not incidents
    return ProcessPlan(fault, rate, targets, source + durations, seen if incidents else None, assumed_rate)


def seen_in(seen: Incidents | None) -> str:
    """``16 years of one target``, in words."""
    return f"{seen.years:.3g} target-years" if seen is not None else ""


def _lasts(entry: Any) -> Law | None:
    """How long it lasts, by the name that this has in its kind."""
    return next((law for key in UNTIL if (law := getattr(entry, key, None)) is not None), None)


def _with_pull(entry: Any, lasts: Law) -> Law:
    """``lasts``, and in the share of the cases that pull an image so much more."""
    pull: Law | None = getattr(entry, "image_pull", None)
    if pull is None or not entry.pulled:
        return lasts
    return summed(lasts, pull, entry.pulled)


def summed(first: Law, second: Law, share: float) -> Law:
    """``first``, plus in ``share`` of the cases an independent ``second``: an empirical law, exact to a 200th part.

    Either law is cut into pieces of equal probability; beyond the last 10 000th of it nothing is drawn.
    """
    middles = [min((k + 0.5) / _PIECES, _NEARLY_ALL) for k in range(_PIECES)]
    own, more = [first.quantile(u) for u in middles], [second.quantile(u) for u in middles]
    alone = [(value, (1 - share) / len(own)) for value in own]
    both = [(a + b, share / (len(own) * len(more))) for a in own for b in more]
    weighted = sorted(alone + both)
    points, reached, step = [weighted[0][0]], 0.0, 1 / (5 * _PIECES)
    for value, weight in weighted:
        reached += weight
        while reached >= len(points) * step - 1e-12 and len(points) < 5 * _PIECES:
            points.append(value)
    return Law("empirical", (*points, weighted[-1][0]))


def _fault(name: str, kind: str, entry: Any, layout: Layout, lasts: Law | None) -> FaultPlan:
    nodes, routers = _selected(kind, entry)
    one_link = routers is not None and routers.random is not None
    if name == "link-down" and routers is None and isinstance(entry, MixEntry):  # assumed of one link at a time
        routers, one_link = ALL, True
    between = kind in _BETWEEN
    picked = routers.pick(layout.router_names) if routers else tuple(layout.router_names) if between else ()
    return FaultPlan(
        name=name,
        kind=kind,
        at=_AT_ONCE,
        nodes=nodes.pick(layout.labels) if nodes else (),
        routers=picked,
        down_for=lasts,
        random_nodes=1 if nodes else None,
        random_routers=1 if picked and (one_link or not nodes) else None,
        options=options_of(kind, entry, layout),
    )


_BETWEEN = ("peer-shutdown", "session-reset", "link-down", "link-loss")
"""Faults between a node and its routers: all of them, unless it is said which."""


def _selected(kind: str, entry: Any) -> tuple[Selector | None, Selector | None]:
    """Which nodes and routers are meant; a process that says nothing means all that its kind strikes."""
    fields = type(entry).model_fields
    node, router = getattr(entry, "node", None), getattr(entry, "router", None)
    if kind == "stall":
        if "node" not in fields or (router is not None and node is None):
            return None, router or ALL
        return node or ALL, None
    if "node" in fields:
        return node or ALL, router
    return None, (router or ALL) if "router" in fields else None


def _targets(fault: FaultPlan) -> int:
    return len(fault.nodes) or len(fault.routers) or 1


def targets_of(process: ProcessPlan) -> str:
    """What a process strikes: ``node``, ``router`` or ``cluster``."""
    return "node" if process.fault.nodes else "router" if process.fault.routers else "cluster"
