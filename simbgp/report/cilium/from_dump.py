"""``simbgp show ... --from JSON``: the tool's table of a dump of its objects."""

from collections.abc import Sequence
from typing import Any

from simbgp.report.cilium import cilium_cli, cilium_dbg, dumps, shell
from simbgp.report.cilium.ask import RoutesAsked, Tool, routes_asked
from simbgp.report.cilium.dumps import Dump, read_dump
from simbgp.report.cilium.records import RouteState


def table_of_dump(
    what: str, arguments: Sequence[str], data: Any, tool: Tool | None, node: str | None, match_families: bool
) -> str:
    """The text of ``peers``, ``routes`` or ``route-policies``; without a ``tool`` the one that dumps in this shape.

    Raises ValueError with what the dump or the arguments lack.
    """
    if what not in ("peers", "routes", "route-policies"):
        raise ValueError(f"{what} of a dump is not supported yet; supported: peers, routes, route-policies")
    dump = read_dump(data, node)
    if dump.cells is not None:
        return shell.cells_table(dump.cells)
    tool = tool or ("cilium" if dump.nodes is not None and what != "route-policies" else "cilium-dbg")
    if what == "peers":
        return _peers(dump, tool)
    if what == "routes":
        return _routes(dump, tool, routes_asked(arguments, tool))
    return _policies(dump, tool, match_families)


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
