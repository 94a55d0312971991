"""``simbgp show ... --from JSON``: the tool's table of a dump of its objects."""

from collections.abc import Mapping
from typing import Any

from simbgp.profiles import newest_speaker, speaker
from simbgp.report.cilium import cilium_cli, cilium_dbg, dumps, kubectl, metrics, shell
from simbgp.report.cilium.ask import RoutesAsked, Tool, routes_asked
from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.dumps import Dump, Fields, read_dump
from simbgp.report.cilium.json_form import dumped, peer_json
from simbgp.report.cilium.records import RouteState

_OF_DUMPS = ("peers", "routes", "route-policies", "status", "metrics")


def table_of_dump(asked: Asked, data: Any) -> str:
    """The text of what was ``asked``; without a tool named, in the layout of the one that dumps in this shape.

    Raises ValueError with what the dump or the arguments lack.
    """
    asked.check()
    if asked.what not in _OF_DUMPS:
        raise ValueError(f"{asked.what} of a dump is not supported yet; supported: {', '.join(_OF_DUMPS)}")
    if asked.what == "status":
        return _status(data, asked)
    dump = read_dump(data, asked.node)
    if asked.json:
        return json_of_dump(dump, asked)
    if dump.cells is not None:
        return shell.cells_table(dump.cells)
    if asked.what == "metrics":
        return _metrics(dump, asked.tool)
    tool = asked.tool or ("cilium" if dump.nodes is not None and asked.what != "route-policies" else "cilium-dbg")
    if asked.what == "peers":
        return _peers(dump, tool)
    if asked.what == "routes":
        return _routes(dump, tool, routes_asked(asked.arguments, tool))
    return _policies(dump, tool, asked.match_families)


def json_of_dump(dump: Dump, asked: Asked) -> str:
    """The objects with the keys of the agent's API; those of a dump in that spelling are left as they are."""
    if asked.what == "metrics" or dump.cells is not None:
        raise ValueError("-o json of this dump is not supported yet; supported: peers, routes, route-policies")
    tool = asked.tool or ("cilium" if dump.nodes is not None and asked.what != "route-policies" else "cilium-dbg")
    wanted = routes_asked(asked.arguments, tool) if asked.what == "routes" else None

    def read(item: Fields) -> list[dict[str, Any]]:
        if wanted is not None and not any(wanted.wants(route) for route in dumps.route(item)):
            return []
        if not dumps.is_short(item):
            return [item.whole]
        if asked.what != "peers":
            raise ValueError(f"-o json: the {asked.what} of this dump are in the words of the tables, not as objects")
        unknown = ("ebgp-multihop-ttl", "graceful-restart")
        return [{k: v for k, v in peer_json(one).items() if k not in unknown} for one in dumps.peer(item)]

    if tool == "cilium":
        return dumped(dict(sorted(dump.of_nodes(read).items())))
    return dumped(dump.of_one(read), indent=2)


def _status(data: Any, asked: Asked) -> str:
    """Of what ``kubectl get ciliumbgpnodeconfigs -o json`` prints: one object, or a List of them."""
    listed = isinstance(data, Mapping) and isinstance(data.get("items"), list)
    items = data["items"] if listed else data if isinstance(data, list) else [data]
    if not all(isinstance(item, Mapping) and isinstance(item.get("metadata"), Mapping) for item in items):
        raise ValueError("this is no dump of objects; allowed: what kubectl get ciliumbgpnodeconfigs -o json prints")
    found = [item for item in items if asked.node in (None, item["metadata"].get("name"))]
    if asked.node is not None and not found:
        known = ", ".join(str(item["metadata"].get("name")) for item in items)
        raise ValueError(f"no node {asked.node!r} in the dump; allowed: {known or 'none'}")
    single = asked.node is not None or not (listed or isinstance(data, list))
    return kubectl.printed(found, asked.output or "describe", single) if found else ""


def _metrics(dump: Dump, tool: Tool | None) -> str:
    """With the labels of the newest release that the dump has values for: those of 1.20 name the instance."""
    peers = dump.of_one(dumps.peer)
    newest = speaker(newest_speaker())
    named = all(peer.instance for peer in peers)
    release = newest if named or "instance_name" not in newest.metric_labels else speaker("1.19")
    series = metrics.gauges(peers, release.metric_labels, release.metrics_while_down)
    return metrics.table(series) if tool == "cilium-dbg" else metrics.exposition(series)


def _peers(dump: Dump, tool: Tool) -> str:
    if tool == "cilium":
        return cilium_cli.peers_table(dump.of_nodes(dumps.peer))
    peers = dump.of_one(dumps.peer)
    return cilium_dbg.peers_table(peers) if tool == "cilium-dbg" else shell.peers_table(peers)


def _routes(dump: Dump, tool: Tool, asked: RoutesAsked) -> str:
    def read(item: Any) -> list[RouteState]:
        return [route for route in dumps.route(item) if asked.wants(route)]

    if tool == "cilium":
        return asked.note + cilium_cli.routes_table(dump.of_nodes(read), asked.of_peers)
    routes = dump.of_one(read)
    if tool == "cilium-dbg":
        return cilium_dbg.routes_table(routes, asked.of_peers)
    return shell.routes_table(routes, asked.of_peers)


def _policies(dump: Dump, tool: Tool, match_families: bool) -> str:
    if tool == "cilium":
        raise ValueError("cilium has no route-policies; allowed: --as cilium-dbg, --as shell")
    policies = dump.of_one(dumps.policy)
    if tool == "shell":
        return shell.policies_table(policies)
    known = match_families or any(s.families for policy in policies for s in policy.statements)
    return cilium_dbg.policies_table(policies, known)
