"""What a check may look at."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simbgp.scenario.cluster_services import ClusterServices
from simbgp.scenario.draft import Draft
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.layout import Layout
from simbgp.scenario.objects import Objects
from simbgp.scenario.schema import Document, RouterSettings, mix_entries
from simbgp.scenario.schema_of_files import did_you_mean, listed
from simbgp.scenario.selection import Selection
from simbgp.scenario.selectors import Known


@dataclass(frozen=True)
class View:
    """The sound part of a scenario, its manifests and, if the nodes are sound, who they and the routers are."""

    draft: Draft
    objects: Objects
    layout: Layout | None
    selection: Selection
    services: ClusterServices | None = None

    @property
    def document(self) -> Document:
        """The sound part of the document."""
        return self.draft.document

    @property
    def nodes(self) -> Known | None:
        """The labels of all nodes by name, None if it is not known who they are."""
        return (self.layout.labels or None) if self.layout else None

    @property
    def routers(self) -> Known | None:
        """All routers by name, None if it is not known who they are."""
        return (self.layout.router_names or None) if self.layout and self.draft.sound("routers") else None

    @cached_property
    def served(self) -> Mapping[str, Set[str]]:
        """The nodes that each router has a session with."""
        if self.layout is None or not self.objects.deciding:
            return self.layout.served if self.layout is not None else {}
        found: dict[str, set[str]] = {}
        for session in self.selection.sessions:
            found.setdefault(session.router, set()).add(session.node)
        return found

    @property
    def service_names(self) -> list[str]:
        """All services, those of the manifests after those of the scenario."""
        of_objects = [] if self.services is None else self.services.names()
        return [service.name for service in self.document.services] + of_objects

    def strikes(self) -> Iterator[tuple[Path, Any]]:
        """Faults, processes and what is written of the yearly mix, with their paths: all that names targets."""
        yield from self.draft.items("faults")
        yield from self.draft.items("background")
        for name, entry in mix_entries(self.document.failures).items():
            yield ("failures", name), entry

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> Problem:
        """A problem of the value at a path of the scenario, or of its key."""
        return self.draft.problem(path, message, at_key=at_key)

    def unknown(self, path: Path, what: str, name: object, known: Iterable[str]) -> Problem:
        """``name`` at ``path`` is no node, router, ... that exists."""
        names = list(known)
        hint = did_you_mean(name, names)
        return self.problem(path, f"unknown {what} {str(name)!r}{hint}; allowed: {listed(names)}")


def router_settings(view: View) -> Iterator[tuple[Path, RouterSettings]]:
    """The settings of each router that is written, and those of all that racks make, with their paths."""
    yield from view.draft.items("routers")
    if view.document.cluster.racks is not None:
        yield ("cluster", "racks", "router"), view.document.cluster.racks.router


def repeated(entries: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str]]:
    """The second and later entries with a name that was there before."""
    seen: set[str] = set()
    for path, name in entries:
        if name in seen:
            yield path, name
        seen.add(name)
