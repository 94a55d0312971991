"""A trial: one draw of a plan."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from simbgp.profiles import Law
from simbgp.scenario.plan import FaultPlan, Occurrence, Plan, ProcessPlan, Trial
from simbgp.scenario.tape import Tape

YEAR_S = 365.25 * 86400


def draw(plan: Plan, seed: int, run: int) -> Trial:
    """The run-th draw of a plan: every fault's moments and durations, in time order, and the tape for all the rest.

    Each duration is drawn once per fault, target and occurrence under the fault's own name, so that one fault more
    or less changes no other. Occurrences at or beyond the horizon are dropped.
    """
    tape = Tape(seed, run)
    drawn = [occurrence for fault in plan.faults for occurrence in _occurrences(fault, plan, tape)]
    drawn += [occurrence for process in plan.background for occurrence in _struck(process, plan, tape)]
    return Trial(plan, run, tape, tuple(sorted(drawn, key=lambda occurrence: occurrence.at_us)))


def _struck(process: ProcessPlan, plan: Plan, tape: Tape) -> Iterator[Occurrence]:
    """A Poisson process over all its targets: exponential gaps, and each time one target by lot."""
    fault, at_us = process.fault, 0
    if not process.in_all:
        return
    gap = Law("exponential", (YEAR_S / process.in_all,))
    for n in count():
        at_us += tape.draw_us(gap, _entity(fault), "gap", n)
        if at_us >= plan.horizon_us:
            return
        yield _occurrence(fault, plan, tape, at_us, _picked(fault, tape, n), n)


def _occurrences(fault: FaultPlan, plan: Plan, tape: Tape) -> Iterator[Occurrence]:
    """Targets that fail at one moment share an occurrence; with a drawn moment each has one of its own."""
    gap_us = 0
    for n in range(fault.times):
        if n:
            gap_us += tape.draw_us(fault.every, _entity(fault), "every", n)
        nodes = _picked(fault, tape, n)
        options = (value for key, value in fault.options.items() if _is_law(key, value))
        together = all(law.is_constant for law in (fault.at, *options))
        groups = [nodes] if together or not nodes else [(node,) for node in nodes]
        for group in groups:
            at_us = tape.draw_us(fault.at, _entity(fault, *group[:1]), "at", n) + gap_us
            if at_us < plan.horizon_us:
                yield _occurrence(fault, plan, tape, at_us, group, n)


def _occurrence(fault: FaultPlan, plan: Plan, tape: Tape, at_us: int, nodes: tuple[str, ...], n: int) -> Occurrence:
    law, routers = fault.down_for, _picked_routers(fault, plan, tape, nodes, n)
    down_for_us = tuple(
        None if law is None else tape.draw_us(law, _entity(fault, *target), "downFor", n)
        for target in _targets(nodes or routers)
    )
    options = {
        key: tape.draw_us(value, _entity(fault, *nodes[:1]), key, n) if _is_law(key, value) else value
        for key, value in fault.options.items()
    }
    return Occurrence(fault.name, fault.kind, at_us, nodes, routers, down_for_us, options)


def _targets(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Each target by itself; a fault of the cluster has one without a name."""
    return [(name,) for name in names] or [()]


def _is_law(key: str, value: Any) -> bool:
    """Whether an option is a duration to draw; others, such as an image pull, are drawn as they come."""
    return key.endswith("_us") and isinstance(value, Law)


def _picked(fault: FaultPlan, tape: Tape, n: int) -> tuple[str, ...]:
    """The nodes of one occurrence: all, or ``random_nodes`` of them, those with the least draws, in their order."""
    if fault.random_nodes is None:
        return fault.nodes
    lots = sorted(fault.nodes, key=lambda node: tape.u(_entity(fault, node), "pick", n))
    chosen = set(lots[: fault.random_nodes])
    return tuple(node for node in fault.nodes if node in chosen)


def _picked_routers(fault: FaultPlan, plan: Plan, tape: Tape, nodes: tuple[str, ...], n: int) -> tuple[str, ...]:
    """The routers of one occurrence: all, or some by lot of those that have a session with the nodes."""
    if fault.random_routers is None:
        return fault.routers
    near = {peering.router for peering in plan.peerings if not nodes or peering.node in nodes}
    candidates = [router for router in fault.routers if router in near]
    lots = sorted(candidates, key=lambda router: tape.u(_entity(fault, router), "pick router", n))
    chosen = set(lots[: fault.random_routers])
    return tuple(router for router in fault.routers if router in chosen)


def _entity(fault: FaultPlan, *target: str) -> str:
    return "/".join(("fault", str(fault.name), *target))
