"""``simbgp show ... -f FILE --at T``: a tool's table of a simulated cluster at a moment."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from simbgp.report.cilium import cilium_cli, cilium_dbg, kubectl, metrics, shell
from simbgp.report.cilium.ask import RoutesAsked, Tool, routes_asked
from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.json_form import dumped, peer_json, policies_json, route_json
from simbgp.report.cilium.node_config import NodeConfigs
from simbgp.report.cilium.records import RouteState
from simbgp.report.cilium.snapshot import Snapshot

T = TypeVar("T")


class NoAgentError(ValueError):
    """Nobody is there to be asked."""


def table_of_run(asked: Asked, now: Snapshot) -> str:
    """The text of ``peers``, ``routes``, ``route-policies``, ``status`` or ``metrics``.

    ``cilium`` and kubectl print all nodes or ``asked.node``, the agent's own tools that node, else the first that
    answers. Raises ValueError with what the arguments lack.
    """
    asked.check()
    if asked.what == "status":
        return _status(now, asked)
    tool = asked.tool or ("cilium" if asked.what in ("peers", "routes") else "cilium-dbg")
    nodes = now.nodes if asked.node is None else [name for name in now.nodes if name == asked.node]
    if tool != "cilium":
        nodes = nodes[:1]
        if not nodes:
            raise NoAgentError(f"no agent answers on {asked.node or 'any node'}: it is down, or has no BGP instance")
    if asked.what == "metrics":
        return _metrics(now, nodes[0], asked)
    if asked.what == "peers":
        return _peers(now, nodes, tool, asked.json)
    if asked.what == "routes":
        return _routes(now, nodes, tool, routes_asked(asked.arguments, tool), asked.json)
    return _policies(now, nodes, tool, asked.json, asked.match_families)


def notes(asked: Asked, now: Snapshot) -> list[str]:
    """What is to be said beside the table: of the agents that do not answer, of objects that are not there."""
    silent = [node for node in now.silent if asked.node in (None, node)]
    if asked.what != "status":
        return [f"no answer from {node}: its agent is down" for node in silent]
    found = {config["metadata"]["name"] for config in NodeConfigs(now.replay, asked.time_zero).of(asked.node)}
    stale = [f"the status of {node} is as its agent left it; that is down" for node in silent if node in found]
    gone = [f'ciliumbgpnodeconfigs.cilium.io "{asked.node}" not found'] if asked.node and not found else []
    return stale + gone + ([] if found or gone else ["No resources found"])


def _status(now: Snapshot, asked: Asked) -> str:
    found = NodeConfigs(now.replay, asked.time_zero).of(asked.node)
    if not found:
        return ""
    return kubectl.printed(found, asked.output or "describe", single=asked.node is not None)


def _metrics(now: Snapshot, node: str, asked: Asked) -> str:
    release = now.release(node)
    series = metrics.gauges(now.peers(node), release.metric_labels, release.metrics_while_down)
    if asked.json:
        return dumped(metrics.as_json(series), indent=2)
    return metrics.table(series) if asked.tool == "cilium-dbg" else metrics.exposition(series)


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
        return dumped(policies_json(now.terms(nodes[0]), now.release(nodes[0])), indent=2)
    if tool == "cilium-dbg":
        return cilium_dbg.policies_table(now.policies(nodes[0], mask=True), match_families)
    return shell.policies_table(now.policies(nodes[0], mask=False))


def _json(found: dict[str, list[T]], tool: Tool, form: Callable[[T], dict[str, Any]]) -> str:
    if tool == "shell":
        raise ValueError("-o json of the shell is not supported yet; supported: --as cilium, --as cilium-dbg")
    several = {node: [form(one) for one in items] for node, items in sorted(found.items())}
    return dumped(several) if tool == "cilium" else dumped(next(iter(several.values())), indent=2)
