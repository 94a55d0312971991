"""Sessions whose node speaks a family that its router does not, each with the place that says so."""

from collections.abc import Iterator

from simbgp.scenario.errors import Path
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.objects import Objects
from simbgp.scenario.plan import Family, Plan
from simbgp.scenario.selection import Selection
from simbgp.scenario.yaml_tree import Tree


def family_mismatches(tree: Tree, layout: Layout, objects: Objects, selection: Selection, plan: Plan) -> Iterator[str]:
    """``FILE:LINE:COL: routers.N.families: ...`` for each router and family that only its nodes have active."""
    sessions = plan.sessions
    for upstream in layout.routers:
        peers = sessions.get(upstream.name, [])
        for family in dict.fromkeys(family for peering in peers for family in peering.families):
            if family in upstream.settings.families:
                continue
            nodes = [peering.node for peering in peers if family in peering.families]
            others = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
            where = "".join(f" ({place})" for place in _written(objects, selection, upstream, family))
            what = (
                f"{family} is not active on {upstream.name}, and {nodes[0]}{others} would speak it{where}: no prefix "
                f"of that family is announced there; activate it on the router, or leave it out on the nodes"
            )
            yield str(tree.problem(_place(upstream), what))


def _place(upstream: Upstream) -> Path:
    below = ("router", "families") if upstream.path == ("cluster", "racks") else ("families",)
    return (*upstream.path, *below)


def _written(objects: Objects, selection: Selection, upstream: Upstream, family: Family) -> Iterator[str]:
    """Where a CiliumBGPPeerConfig of the router's sessions has the family."""
    used = {id(session.config) for session in selection.sessions if session.router == upstream.name}
    for item in objects.peer_configs.values():
        if id(item.body.spec) not in used:
            continue
        written = [i for i, entry in enumerate(item.body.spec.families or ()) if entry.afi == family]
        path: Path = ("spec", "families", written[0]) if written else ("spec",)
        place = item.problem(path, "")
        yield f"CiliumBGPPeerConfig {item.name}, {place.file}:{place.line}:{place.column}"
