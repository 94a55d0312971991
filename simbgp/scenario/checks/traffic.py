"""Checks of the ``services`` and ``traffic`` parts."""

from collections.abc import Iterator

from simbgp.scenario.checks.view import View, repeated, router_settings
from simbgp.scenario.errors import Problem
from simbgp.scenario.little import population
from simbgp.scenario.services import backends_of

_CLIENTS = ["linux-6.5", "linux-6.4"]
_MOST_BACKENDS = 100_000
_MOST_CONNECTIONS = 100_000_000
"""Of one service within the horizon: memory is in proportion to them, and so many take gigabytes."""


def service_names(view: View) -> Iterator[Problem]:
    """A service's name is its own."""
    for path, name in repeated(((*path, "name"), service.name) for path, service in view.draft.items("services")):
        yield view.problem(path, f"duplicate service name {name!r}; allowed: each name once")


def vips_once(view: View) -> Iterator[Problem]:
    """A VIP belongs to one service."""
    owner: dict[str, str] = {}
    for path, service in view.draft.items("services"):
        for vip in service.vip:
            if vip in owner:
                what = f"the VIP {vip} is already that of {owner[vip]}; allowed: each VIP once"
                yield view.problem((*path, "vip"), what)
            owner.setdefault(vip, service.name)


def vips_apart(view: View) -> Iterator[Problem]:
    """A VIP is not the address of a pod, a node or a router."""
    if view.layout is None:
        return
    taken = {address: node.name for node in view.layout.nodes for address in node.addresses}
    taken |= {address: router.name for router in view.layout.routers for address in router.addresses}
    for path, service in view.draft.items("services"):
        for vip in service.vip:
            if vip in taken:
                yield view.problem(
                    (*path, "vip"), f"the VIP {vip} is the address of {taken[vip]}; allowed: one of its own"
                )


def backends(view: View) -> Iterator[Problem]:
    """Backends stand on nodes that exist and have names of their own."""
    labels = view.nodes
    if labels is None:
        return
    for path, service in view.draft.items("services"):
        written = service.backends if isinstance(service.backends, tuple) else ()
        for i, entry in enumerate(written):
            if entry.node not in labels:
                yield view.unknown((*path, "backends", i, "node"), "node", entry.node, labels)
        names = [name for name, _ in backends_of(service, ())] if written else []
        for where, name in repeated(((*path, "backends", i, "name"), name) for i, name in enumerate(names)):
            yield view.problem(where, f"duplicate backend name {name!r}; allowed: each name once")


def not_too_many_backends(view: View) -> Iterator[Problem]:
    """The backends of all services fit into a machine."""
    numbers = [(path, service.backends) for path, service in view.draft.items("services")]
    total = sum(written if isinstance(written, int) else len(written) for _, written in numbers)
    if total > _MOST_BACKENDS:
        yield view.problem((*numbers[0][0], "backends"), f"{total} backends in all; allowed: {_MOST_BACKENDS}")


def traffic_of_services(view: View) -> Iterator[Problem]:
    """Traffic goes to a service that exists, described once."""
    entries = [((*path, "service"), traffic.service) for path, traffic in view.draft.items("traffic")]
    for path, name in repeated(entries):
        yield view.problem(path, f"duplicate traffic of {name!r}; allowed: one entry for each service")
    known = view.service_names
    for path, name in entries if view.draft.sound("services") else ():
        if name not in known:
            yield view.unknown(path, "service", name, known)


def populations(view: View) -> Iterator[Problem]:
    """Connections, arrivals and lifetime obey Little's law."""
    for path, traffic in view.draft.items("traffic"):
        horizon_s = view.document.horizon
        try:
            connections, arrivals_per_s, _ = population(traffic, horizon_s)
        except ValueError as error:
            yield view.problem(path, str(error))
            continue
        total = connections + arrivals_per_s * horizon_s
        if total > _MOST_CONNECTIONS:
            what = (
                f"{traffic.service} would have {total:.2g} connections within the horizon of {horizon_s:g} s; allowed: "
                f"{_MOST_CONNECTIONS:.0e}: shorten the horizon, or take a part of the clients (shares stay the same)"
            )
            yield view.problem(path, what)


def hashed_flows(view: View) -> Iterator[Problem]:
    """What becomes of a connection is known where its packets take one way."""
    if not view.document.traffic:
        return
    for path, settings in (*router_settings(view), *view.draft.items("fabric")):
        if settings.ecmp.hash == "per-packet":
            what = (
                "'per-packet' sends a connection's packets to all nodes, and none of its outcomes would hold; allowed: "
                "modulo, hash-threshold, hrw, resilient, or no traffic"
            )
            yield view.problem((*path, "ecmp", "hash"), what)


def client_profiles(view: View) -> Iterator[Problem]:
    """There is one kernel for clients."""
    for path, traffic in view.draft.items("traffic"):
        if traffic.client.profile not in _CLIENTS:
            yield view.unknown((*path, "client", "profile"), "client profile", traffic.client.profile, _CLIENTS)


CHECKS = (
    service_names,
    vips_once,
    vips_apart,
    backends,
    not_too_many_backends,
    traffic_of_services,
    populations,
    client_profiles,
    hashed_flows,
)
