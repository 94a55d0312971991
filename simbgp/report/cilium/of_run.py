"""``simbgp show ... -f FILE --at T``: a tool's table of a simulated cluster at a moment."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from simbgp.report.cilium import cilium_cli, cilium_dbg, shell
from simbgp.report.cilium.ask import RoutesAsked, Tool, routes_asked
from simbgp.report.cilium.json_form import dumped, peer_json, policies_json, route_json
from simbgp.report.cilium.records import RouteState
from simbgp.report.cilium.snapshot import Snapshot

T = TypeVar("T")


def table_of_run(
    what: str,
    arguments: Sequence[str],
    now: Snapshot,
    tool: Tool | None,
    node: str | None,
    *,
    json: bool = False,
    match_families: bool = False,
) -> str:
    """The text of ``peers``, ``routes`` or ``route-policies``.

    ``cilium`` prints all nodes or ``node``, the agent's own tools those of ``node``, else of the first that answers.
    Raises ValueError with what the arguments lack.
    """
    tool = tool or ("cilium" if what != "route-policies" else "cilium-dbg")
    nodes = now.nodes if node is None else [name for name in now.nodes if name == node]
    if tool != "cilium":
        nodes = nodes[:1]
        if not nodes:
            raise ValueError(f"no agent answers on {node or 'any node'}: it is down, or has no BGP instance")
    if what == "peers":
        return _peers(now, nodes, tool, json)
    if what == "routes":
        return _routes(now, nodes, tool, routes_asked(arguments, tool), json)
    return _policies(now, nodes, tool, json, match_families)


def _peers(now: Snapshot, nodes: Sequence[str], tool: Tool, json: bool) -> str:
    found = {node: now.peers(node) for node in nodes}
    if json:
        return _json(found, tool, peer_json)
    if tool == "cilium":
        return cilium_cli.peers_table(found)
    peers = found[nodes[0]]
    return cilium_dbg.peers_table(peers) if tool == "cilium-dbg" else shell.peers_table(peers)


def _routes(now: Snapshot, nodes: Sequence[str], tool: Tool, asked: RoutesAsked, json: bool) -> str:
    found = {node: [route for route in _table(now, node, asked) if asked.wants(route)] for node in nodes}
    if json:
        return _json(found, tool, route_json)
    if tool == "cilium":
        return asked.note + cilium_cli.routes_table(found, asked.of_peers)
    table = cilium_dbg.routes_table if tool == "cilium-dbg" else shell.routes_table
    return table(found[nodes[0]], asked.of_peers)


def _table(now: Snapshot, node: str, asked: RoutesAsked) -> list[RouteState]:
    if asked.table in ("available", "loc"):
        return now.available(node, asked.afi)
    if asked.table == "in":
        raise ValueError("'in' is not supported yet; supported: loc, out")
    return now.advertised(node, asked.afi)


def _policies(now: Snapshot, nodes: Sequence[str], tool: Tool, json: bool, match_families: bool) -> str:
    if tool == "cilium":
        raise ValueError("cilium has no route-policies; allowed: --as cilium-dbg, --as shell")
    if json:
        return dumped(policies_json(now.terms(nodes[0])), indent=2)
    if tool == "cilium-dbg":
        return cilium_dbg.policies_table(now.policies(nodes[0], mask=True), match_families)
    return shell.policies_table(now.policies(nodes[0], mask=False))


def _json(found: dict[str, list[T]], tool: Tool, form: Callable[[T], dict[str, Any]]) -> str:
    if tool == "shell":
        raise ValueError("-o json of the shell is not supported yet; supported: --as cilium, --as cilium-dbg")
    several = {node: [form(one) for one in items] for node, items in sorted(found.items())}
    return dumped(several) if tool == "cilium" else dumped(next(iter(several.values())), indent=2)
