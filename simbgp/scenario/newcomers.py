"""Who is not there at time 0: services and nodes that a fault brings, and what of the others hangs on them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from simbgp.scenario.layout import Layout
from simbgp.scenario.plan import ServicePlan
from simbgp.scenario.schema import Document


def plan_names(service: str) -> tuple[str, str]:
    """The names that the plans of a service may have: its cluster addresses can have one of their own."""
    return service, f"{service}-cluster-ip"


def added_services(document: Document) -> tuple[str, ...]:
    """Services that a fault creates, in the order in which they are."""
    faults = [fault for fault in document.faults if fault.kind == "service-add"]
    return tuple(fault.service for fault in sorted(faults, key=lambda fault: fault.at.support[0]))


def with_joining(document: Document, layout: Layout) -> Layout:
    """The layout in which the nodes that a fault brings are marked."""
    picked = (set(fault.node.pick(layout.labels)) for fault in document.faults if fault.kind == "node-join")
    joining: set[str] = reduce(or_, picked, set())
    if not joining:
        return layout
    return replace(layout, nodes=tuple(replace(node, joins=node.name in joining) for node in layout.nodes))


def with_newcomers(
    services: Sequence[ServicePlan], layout: Layout, added: Collection[str], bare: bool
) -> tuple[ServicePlan, ...]:
    """The services with what comes late marked; a bare speaker has no operator that would give addresses."""
    joining = {node.name for node in layout.nodes if node.joins}
    names = {name for service in added for name in plan_names(service)}
    return tuple(
        replace(
            service,
            backends=tuple(replace(b, late=b.node in joining) for b in service.backends)
            if joining
            else service.backends,
            added=service.name in names,
            allocated=() if bare else service.allocated,
        )
        for service in services
    )
