"""Checks of the faults that are procedures, and of those of services."""

from collections.abc import Iterator, Sequence

from simbgp.profiles import UnknownProfileError, speaker
from simbgp.scenario.checks.view import View, repeated
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.services import backends_of

_WRITTEN = {
    "wait": "wait",
    "terminationGracePeriodSeconds": "termination_grace_period_seconds",
    "preStop": "pre_stop",
    "shutdown": "shutdown",
}


def drain_steps(view: View) -> Iterator[Problem]:
    """Each step of a drain is done once, and what is said of a step belongs to one."""
    for path, fault in view.strikes():
        if fault.kind != "node-drain":
            continue
        steps = (((*path, "order", place), step) for place, step in enumerate(fault.order))
        for where, step in repeated(steps):
            yield view.problem(where, f"{step!r} comes twice; allowed: each step once")
        needed = {"wait": "wait", "terminationGracePeriodSeconds": "drain", "preStop": "drain", "shutdown": "drain"}
        for key, step in needed.items():
            written = _WRITTEN[key]
            if written in fault.model_fields_set and step not in fault.order:
                what = f"the order has no step {step!r} that would use it; allowed: {step} in order, or no {key}"
                yield view.problem((*path, key), what, at_key=True)


def upgrades(view: View) -> Iterator[Problem]:
    """There is a profile of the release that is rolled out, and some agent may be away."""
    for path, fault in view.strikes():
        if fault.kind != "agent-upgrade":
            continue
        try:
            speaker(fault.to)
        except UnknownProfileError as error:
            yield view.problem((*path, "to"), str(error))
        if not fault.max_unavailable:
            yield view.problem((*path, "maxUnavailable"), "no agent may be away; allowed: 1 or more, or above 0%")


def failing_backends(view: View) -> Iterator[Problem]:
    """The service and the backends that fail exist."""
    if not view.draft.sound("services") or view.nodes is None:
        return
    services = {service.name: service for service in view.document.services}
    for path, fault in view.strikes():
        if fault.kind != "backends-down":
            continue
        if fault.service not in view.service_names:
            yield view.unknown((*path, "service"), "service", fault.service, view.service_names)
            continue
        if fault.service in services:
            known = [name for name, _ in backends_of(services[fault.service], tuple(view.nodes))]
        else:
            of_objects = view.services.services if view.services is not None else ()
            known = [pod.name for service in of_objects if service.name == fault.service for pod in service.pods]
        for place, name in enumerate(fault.backends or ()):
            if name not in known:
                yield view.unknown((*path, "backends", place), "backend", name, known)


def newcomers(view: View) -> Iterator[Problem]:
    """What comes during the run comes once, is somebody, and is not everybody."""
    seen: dict[str, set[str]] = {"service": set(), "node": set()}
    for path, fault in view.draft.items("faults"):
        if fault.kind not in ("service-add", "node-join"):
            continue
        if fault.repeat is not None:
            yield view.problem((*path, "repeat"), f"{fault.kind} happens once; allowed: no repeat", at_key=True)
        if fault.kind == "service-add":
            yield from _comes_once(view, (*path, "service"), [fault.service], seen["service"])
        elif fault.node.random is not None:
            what = "who joins is known beforehand; allowed: a name, a list, a range, {matchLabels: ...}"
            yield view.problem((*path, "node"), what)
        elif view.nodes is not None:
            yield from _comes_once(view, (*path, "node"), fault.node.pick(view.nodes), seen["node"])
            if seen["node"].issuperset(view.nodes):
                what = "every node joins later; allowed: at least one that is there at time 0"
                yield view.problem((*path, "node"), what)


def _comes_once(view: View, path: Path, names: Sequence[str], seen: set[str]) -> Iterator[Problem]:
    for name in names:
        if name in seen:
            yield view.problem(path, f"{name!r} comes twice; allowed: each {path[-1]} once")
        seen.add(name)


def added_services(view: View) -> Iterator[Problem]:
    """A service that is created exists in the scenario, with pods."""
    if not view.draft.sound("services") or view.nodes is None:
        return
    of_objects = view.services.services if view.services is not None else ()
    empty = {service.name for service in of_objects if not service.pods}
    for path, fault in view.draft.items("faults"):
        if fault.kind == "service-add" and fault.service not in view.service_names:
            yield view.unknown((*path, "service"), "service", fault.service, view.service_names)
        elif fault.kind == "service-add" and fault.service in empty:
            what = f"service {fault.service!r} has no pod; allowed: a service with pods"
            yield view.problem((*path, "service"), what)


def budgets(view: View) -> Iterator[Problem]:
    """A disruption budget asks for no more backends than there are."""
    for path, service in view.draft.items("services"):
        most = service.backends if isinstance(service.backends, int) else len(service.backends)
        if isinstance(service.min_available, int) and service.min_available > most:
            what = f"{service.min_available} of {most} backends; allowed: 0 to {most}, or percent"
            yield view.problem((*path, "minAvailable"), what)


CHECKS = (drain_steps, upgrades, failing_backends, newcomers, added_services, budgets)
