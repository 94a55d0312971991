"""Checks of the ``fabric`` part."""

from collections.abc import Iterator

from simbgp.scenario.checks.view import View, repeated
from simbgp.scenario.errors import Problem
from simbgp.scenario.selectors import Known


def spine_names(view: View) -> Iterator[Problem]:
    """A spine's name is its own, and no router's or node's."""
    for path, name in repeated(((*path, "name"), spine.name) for path, spine in view.draft.items("fabric")):
        yield view.problem(path, f"duplicate spine name {name!r}; allowed: each name once")
    for path, spine in view.draft.items("fabric"):
        for kind, names in (("node", view.nodes or Known()), ("router", view.routers or Known())):
            if spine.name in names:
                yield view.problem((*path, "name"), f"{spine.name!r} is a {kind}'s name; allowed: another one")


def spines_over_routers(view: View) -> Iterator[Problem]:
    """A spine stands over routers that exist, each named once."""
    for path, spine in view.draft.items("fabric"):
        entries = [((*path, "over", place), name) for place, name in enumerate(spine.over)]
        if not entries:
            yield view.problem((*path, "over"), "the spine is over no router; allowed: a list of routers")
        for where, name in repeated(entries):
            yield view.problem(where, f"{name!r} stands there twice; allowed: each router once")
        if view.routers is None:
            continue
        for where, name in entries:
            if name not in view.routers:
                yield view.unknown(where, "router", name, view.routers)


def routers_under_spines(view: View) -> Iterator[Problem]:
    """With a second tier traffic reaches a router through a spine, or not at all."""
    if not view.document.fabric or not view.draft.sound("fabric", "routers") or view.layout is None:
        return
    below = {name for spine in view.document.fabric for name in spine.over}
    for router in view.layout.routers:
        if router.name not in below:
            where = (*router.path, "name") if router.path[0] == "routers" else router.path
            yield view.problem(where, f"{router.name!r} is under no spine; allowed: {router.name} in over of one")


CHECKS = (spine_names, spines_over_routers, routers_under_spines)
