"""Checks of the ``faults`` and ``slo`` parts."""

from collections.abc import Iterator
from typing import Any

from simbgp.profiles import format_duration
from simbgp.scenario.checks.view import View, repeated
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.metrics import METRICS, NARROWED_BY, NARROWING, STATS, is_stat, read_bound
from simbgp.scenario.not_yet import waiting
from simbgp.scenario.processes import process_names
from simbgp.scenario.schema import MixEntry, Process, Slo, mix_entries
from simbgp.scenario.schema.base import read_prefix
from simbgp.scenario.selectors import Known, Selector


def fault_names(view: View) -> Iterator[Problem]:
    """A fault's name is its own."""
    named = (((*path, "name"), fault.name) for path, fault in view.draft.items("faults") if fault.name)
    for path, name in repeated(named):
        yield view.problem(path, f"duplicate fault name {name!r}; allowed: each name once")


def within_horizon(view: View) -> Iterator[Problem]:
    """A fault can happen."""
    if not view.draft.sound("horizon"):
        return
    horizon = view.document.horizon
    for path, fault in view.draft.items("faults"):
        if (earliest := fault.at.support[0]) >= horizon:
            late, end = format_duration(earliest), format_duration(horizon)
            what = f"at {late} the run is over; allowed: before the horizon {end}"
            yield view.problem((*path, "at"), what)


def targets(view: View) -> Iterator[Problem]:
    """What a fault names exists, and what it cuts is there."""
    for path, fault in view.strikes():
        node, router = getattr(fault, "node", None), getattr(fault, "router", None)
        wrong: list[Problem] = []
        if node is not None and view.nodes is not None:
            wrong += _targets(view, (*path, "node"), "node", node, view.nodes)
        by_lot = router is not None and router.random is not None
        if router is not None and (router.labels or (by_lot and not _takes_a_link(fault))):
            what = "routers have names only; allowed: a name, a list, a range, all"
            wrong.append(view.problem((*path, "router"), what))
        elif router is not None and view.routers is not None:
            wrong += _targets(view, (*path, "router"), "router", router, view.routers)
        yield from wrong
        if not wrong and node is not None and router is not None:
            yield from _pairs(view, path, fault)


def stall_targets(view: View) -> Iterator[Problem]:
    """A stall is of one process."""
    for path, fault in view.draft.items("faults"):
        if fault.kind == "stall" and (fault.node is None) == (fault.router is None):
            yield view.problem(path, "a stall takes one process; allowed: one of node and router")
    for path, process in view.draft.items("background"):
        if process.kind == "stall" and process.node is not None and process.router is not None:
            yield view.problem(path, "a stall takes one process; allowed: one of node and router")


def _takes_a_link(fault: Any) -> bool:
    """Whether a router may be left to luck: one of a node's links, in a process."""
    return isinstance(fault, Process | MixEntry) and "node" in type(fault).model_fields and fault.kind != "stall"


def processes(view: View) -> Iterator[Problem]:
    """A process strikes one target at a time, and bears a name of its own."""
    for path, process in view.strikes():
        if not isinstance(process, Process | MixEntry):
            continue
        node, router = getattr(process, "node", None), getattr(process, "router", None)
        if node is not None and node.random is not None:
            what = "a process strikes one node at a time, by lot; allowed: a name, a list, a range, {matchLabels: ...}"
            yield view.problem((*path, "node"), what)
        if router is not None and router.random not in (None, 1):
            yield view.problem(
                (*path, "router"), f"random: {router.random}; allowed: {{random: 1}}, one link at a time"
            )
    names = [((*path, "name"), p.name) for path, p in view.draft.items("faults") if p.name]
    names += [((*path, "name"), p.name) for path, p in view.draft.items("background") if p.name]
    for path, name in repeated(names):
        if path[0] == "background":
            yield view.problem(path, f"duplicate name {name!r}; allowed: each name once")


def mix_once(view: View) -> Iterator[Problem]:
    """How often a kind strikes is said in one place, and a year has some availability to lose."""
    struck = {process.kind for _, process in view.draft.items("background")}
    for name, entry in mix_entries(view.document.failures).items():
        if entry.kind in struck:
            what = f"background says already how often {entry.kind} strikes; allowed: one of both"
            yield view.problem(("failures", name), what, at_key=True)
    failures = view.document.failures
    if failures is not None and failures.availability is not None and not 0 < failures.availability < 1:
        yield view.problem(("failures", "availability"), "no such SLO; allowed: above 0 and below 100 %, like 99.95%")


def _targets(view: View, path: Path, what: str, selector: Selector, known: Known) -> Iterator[Problem]:
    missing = list(selector.unknown(known))
    for place, name in missing:
        yield view.unknown((*path, place) if selector.listed else path, what, name, known)
    if selector.random is not None and selector.random > len(known):
        yield view.problem(path, f"random: {selector.random} of {len(known)} nodes; allowed: 1 to {len(known)}")
    if not missing and not selector.pick(known):
        yield view.problem(path, f"selects no {what}; allowed: what selects at least one")


def _pairs(view: View, path: Path, fault: Any) -> Iterator[Problem]:
    """A fault between a node and a router has a session to hit."""
    if view.layout is None or view.nodes is None or view.routers is None or view.selection.problems:
        return
    nodes, routers = fault.node.pick(view.nodes), fault.router.pick(view.routers)
    if all(view.served.get(router, frozenset()).isdisjoint(nodes) for router in routers):
        what = f"no session between {', '.join(nodes[:3])} and {', '.join(routers[:3])}; allowed: a router of the node"
        yield view.problem((*path, "router"), what)


def slo_names(view: View) -> Iterator[Problem]:
    """Metric, statistic, service, router and fault of a bound exist."""
    for path, slo in view.draft.items("slo"):
        if slo.metric not in METRICS:
            known = [metric for metric in METRICS if metric not in waiting((*path, "metric"))]
            yield view.unknown((*path, "metric"), "metric", slo.metric, known)
        if not is_stat(slo.stat):
            yield view.problem((*path, "stat"), f"unknown stat {slo.stat!r}; allowed: {STATS}")
        services = view.service_names
        if slo.service is not None and slo.service not in services and view.draft.sound("services"):
            yield view.unknown((*path, "service"), "service", slo.service, services)
        if slo.router is not None and view.routers is not None and slo.router not in view.routers:
            yield view.unknown((*path, "router"), "router", slo.router, view.routers)
        if slo.fault is not None and view.draft.sound("faults"):
            yield from _fault_of(view, (*path, "fault"), slo.fault)


def _fault_of(view: View, path: Path, wanted: str | int) -> Iterator[Problem]:
    known = [place if fault.name is None else fault.name for place, fault in enumerate(view.document.faults)]
    known += process_names(view.document)
    if wanted not in known:
        yield view.unknown(path, "fault", wanted, (str(name) for name in known))


def slo_narrowing(view: View) -> Iterator[Problem]:
    """A bound is narrowed only to what its metric knows."""
    for path, slo in view.draft.items("slo"):
        known = NARROWED_BY.get(slo.metric, frozenset(NARROWING))
        for key in NARROWING:
            if key in slo.model_fields_set and getattr(slo, key) is not None and key not in known:
                what = f"{slo.metric} cannot be narrowed to this; allowed: {', '.join(sorted(known))}"
                yield view.problem((*path, key), what, at_key=True)


def slo_bounds(view: View) -> Iterator[Problem]:
    """A bound is one of max and min, and fits the metric."""
    for path, slo in view.draft.items("slo"):
        if (slo.max is None) == (slo.min is None):
            yield view.problem(path, "a bound is missing or double; allowed: one of max and min")
        yield from _bounds(view, path, slo)
        if slo.prefix is not None:
            try:
                read_prefix(slo.prefix)
            except ValueError as error:
                yield view.problem((*path, "prefix"), str(error))


def _bounds(view: View, path: Path, slo: Slo) -> Iterator[Problem]:
    for key, value in (("max", slo.max), ("min", slo.min)):
        try:
            if value is not None and slo.metric in METRICS:
                read_bound(slo.metric, value)
        except ValueError as error:
            yield view.problem((*path, key), str(error))


CHECKS = (
    fault_names,
    within_horizon,
    targets,
    stall_targets,
    processes,
    mix_once,
    slo_names,
    slo_narrowing,
    slo_bounds,
)
