"""Checks of the ``routers`` part."""

from collections.abc import Iterator

from simbgp.profiles import UnknownProfileError, router
from simbgp.scenario.checks.view import View, repeated, router_settings
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.limits import MAX_PATHS
from simbgp.scenario.selectors import Known

_MOST_PEERINGS = 100_000


def some_router(view: View) -> Iterator[Problem]:
    """There is a router to peer with, from one source."""
    if not view.draft.sound("routers", "cluster.racks"):
        return
    racks, written = view.document.cluster.racks, view.document.routers
    if racks is not None and written:
        yield view.problem(("routers",), "racks make the routers; allowed: cluster.racks.router for their settings")
    if racks is None and not written:
        yield view.problem(("routers",), "there is no router; allowed: a list of {name, profile}, or cluster.racks")


def router_names(view: View) -> Iterator[Problem]:
    """A router's name is its own, and no node's."""
    entries = (((*path, "name"), router.name) for path, router in view.draft.items("routers"))
    for path, name in repeated(entries):
        yield view.problem(path, f"duplicate router name {name!r}; allowed: each name once")
    nodes = view.nodes or Known()
    for path, written in view.draft.items("routers"):
        if written.name in nodes:
            yield view.problem((*path, "name"), f"{written.name!r} is a node's name; allowed: another one")


def profiles(view: View) -> Iterator[Problem]:
    """There is a profile of the router."""
    for path, settings in router_settings(view):
        try:
            router(settings.profile)
        except UnknownProfileError as error:
            yield view.problem((*path, "profile"), str(error))


def timers(view: View) -> Iterator[Problem]:
    """A router's keepalive time is not larger than its hold time."""
    for path, settings in router_settings(view):
        hold, keepalive = settings.timers.hold_time_seconds, settings.timers.keep_alive_time_seconds
        if hold is not None and keepalive is not None and keepalive > hold:
            what = f"{keepalive} is larger than holdTimeSeconds {hold}; allowed: 1 to {hold}"
            yield view.problem((*path, "timers", "keepAliveTimeSeconds"), what)


def served_nodes(view: View) -> Iterator[Problem]:
    """A router's nodes exist, and do not change from run to run."""
    labels = view.nodes
    if labels is None:
        return
    for path, written in view.draft.items("routers"):
        selector = written.nodes
        if selector.random is not None:
            yield view.problem((*path, "nodes"), "random nodes cannot peer; allowed: names, a range, matchLabels, all")
        missing = list(selector.unknown(labels))
        for place, name in missing:
            where = (*path, "nodes", place) if selector.listed else (*path, "nodes")
            yield view.unknown(where, "node", name, labels)
        if not missing and not selector.pick(labels):
            yield view.problem((*path, "nodes"), "selects no node; allowed: what selects at least one")


def addresses_once(view: View) -> Iterator[Problem]:
    """An address belongs to one node or one router."""
    if view.layout is None:
        return
    owner: dict[str, str] = {}
    named: list[tuple[Path, str, tuple[str, ...]]] = [
        (("cluster", "nodes", i), n.name, n.addresses) for i, n in enumerate(view.layout.nodes)
    ]
    named += [(router.path, router.name, router.addresses) for router in view.layout.routers]
    for path, name, addresses in named:
        for address in addresses:
            if owner.setdefault(address, name) != name:
                what = f"the address {address} of {name} is also that of {owner[address]}; allowed: each address once"
                yield view.problem((*path, "address"), what)


def not_too_many(view: View) -> Iterator[Problem]:
    """The sessions fit into a machine."""
    if view.layout is not None:
        sessions = sum(len(router.nodes) for router in view.layout.routers)
        if sessions > _MOST_PEERINGS:
            yield view.problem((), f"{sessions} sessions; allowed: {_MOST_PEERINGS}")
        prefixes = sum(len(service.vip) for _, service in view.draft.items("services"))
        if (paths := sessions * prefixes) > MAX_PATHS:
            what = f"{sessions} sessions that carry {prefixes} prefixes of services are {paths} paths"
            yield view.problem(("services",), f"{what}; allowed: {MAX_PATHS} in all")


CHECKS = (some_router, router_names, profiles, timers, served_nodes, addresses_once, not_too_many)
