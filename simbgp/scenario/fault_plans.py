"""Faults expanded: targets by name, and what each kind needs beyond them."""

from collections.abc import Callable
from typing import Any

from simbgp.profiles import Law
from simbgp.scenario.layout import Layout
from simbgp.scenario.newcomers import plan_names
from simbgp.scenario.plan import FaultPlan
from simbgp.scenario.schema import AnyFault
from simbgp.scenario.services import part_of

UNTIL = ("down_for", "relabel_after", "stall_for")
"""How long a fault lasts, by the name it has in its kind."""
_AT_ONCE = Law.constant(0.0)
Options = dict[str, Any]


def fault_plan(index: int, fault: AnyFault, layout: Layout) -> FaultPlan:
    """The ``index``-th fault; a kind between nodes and routers that names no router means all of them."""
    node, chosen = getattr(fault, "node", None), getattr(fault, "router", None)
    between = "router" in type(fault).model_fields and fault.kind != "stall"
    routers = chosen.pick(layout.router_names) if chosen else tuple(layout.router_names) if between else ()
    repeat = fault.repeat
    return FaultPlan(
        name=index if fault.name is None else fault.name,
        kind=fault.kind,
        at=fault.at,
        nodes=node.pick(layout.labels) if node else (),
        routers=routers,
        down_for=next((law for law in (getattr(fault, key, None) for key in UNTIL) if law is not None), None),
        random_nodes=node.random if node else None,
        times=repeat.times if repeat else 1,
        every=repeat.every if repeat else _AT_ONCE,
        options=options_of(fault.kind, fault, layout),
    )


def options_of(kind: str, fault: Any, layout: Layout) -> Options:
    """What ``kind`` needs beyond targets and times."""
    return _OPTIONS.get(kind, _none)(fault, layout)


def _none(fault: Any, layout: Layout) -> Options:
    return {}


def _link_loss(fault: Any, layout: Layout) -> Options:
    return {"share": fault.share, "direction": fault.direction}


def _router_down(fault: Any, layout: Layout) -> Options:
    return {"host": fault.host}


def _router_restart(fault: Any, layout: Layout) -> Options:
    return {"how": fault.how}


def _node_drain(fault: Any, layout: Layout) -> Options:
    return {
        "order": fault.order,
        "wait_us": fault.wait,
        "grace_us": fault.termination_grace_period_seconds * 1_000_000,
        "pre_stop_us": fault.pre_stop,
        "shutdown_us": fault.shutdown,
    }


def _agent_upgrade(fault: Any, layout: Layout) -> Options:
    nodes = tuple(node.name for node in layout.nodes)
    return {
        "to": fault.to,
        "nodes": nodes,
        "max_unavailable": max(1, part_of(fault.max_unavailable, len(nodes))),
        "min_ready_us": fault.min_ready_seconds * 1_000_000,
        "image_pull": None if fault.pre_pulled else fault.image_pull,
        "ready_after": fault.ready_after,
        "rollback_after_us": fault.rollback_after,
    }


def _backends_down(fault: Any, layout: Layout) -> Options:
    return {"service": fault.service, "backends": fault.backends or (), "how": fault.how}


def _operator_down(fault: Any, layout: Layout) -> Options:
    return {"how": fault.how}


def _service_add(fault: Any, layout: Layout) -> Options:
    return {"service": fault.service, "plans": tuple(plan_names(fault.service))}


_OPTIONS: dict[str, Callable[[Any, Layout], Options]] = {
    "agent-upgrade": _agent_upgrade,
    "backends-down": _backends_down,
    "link-loss": _link_loss,
    "node-drain": _node_drain,
    "operator-down": _operator_down,
    "router-down": _router_down,
    "router-restart": _router_restart,
    "service-add": _service_add,
}
"""What a kind takes along, by its name; a law under a key in ``_us`` is drawn for each target and occurrence."""
