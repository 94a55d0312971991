"""What a rule found, and where the scenario says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from simbgp.scenario.errors import Path
from simbgp.scenario.yaml_tree import Tree

_OBJECTS: tuple[Path, ...] = (("cluster", "manifests"), ("cluster", "from"))


@dataclass(frozen=True, slots=True)
class Finding:
    """A warning, and the places that may have said what it is about: the first that is written is shown.

    With ``router`` the places are below that router, wherever the file makes it; with ``objects`` they may be in the
    manifests instead.
    """

    text: str
    places: tuple[Path, ...]
    router: str | None = None
    objects: bool = False

    def at(self, tree: Tree, routers: Mapping[str, Path]) -> str:
        """``FILE:LINE:COL: path: text``; ``routers`` are the paths of the routers by name."""
        below = () if self.router is None else routers[self.router]
        places = [(*below, *place) for place in self.places]
        candidates = [*places, *(_OBJECTS if self.objects else ())]
        path = next((path for path in candidates if path in tree.places), places[0])
        return str(tree.problem(path, self.text))


def of_timers(key: str, text: str) -> Finding:
    """About one of ``cluster.timers``, which the manifests may set instead."""
    return Finding(text, (("cluster", "timers", key), ("cluster", "timers")), objects=True)


def of_restart(key: str, text: str) -> Finding:
    """About one of ``cluster.gracefulRestart``, which the manifests may set instead."""
    return Finding(text, (("cluster", "gracefulRestart", key), ("cluster", "gracefulRestart")), objects=True)


def of_router(router: str, text: str, *places: Path) -> Finding:
    """About a router's settings, at the first of ``places`` below it that is written."""
    return Finding(text, (*places, ()), router=router)


def of_fault(place: int, text: str, *keys: str) -> Finding:
    """About the fault at a place of the list."""
    return Finding(text, (*(("faults", place, key) for key in keys), ("faults", place)))
