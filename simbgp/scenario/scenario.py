"""A scenario: what a person wrote, checked."""

import copy
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from html import escape
from operator import getitem
from pathlib import Path as FilePath
from typing import Any

from simbgp.scenario.beneath import allowed_root, allowing
from simbgp.scenario.checks import View, check
from simbgp.scenario.cluster_services import ClusterServices, cluster_services
from simbgp.scenario.draft import Draft, read_draft
from simbgp.scenario.errors import Problem, ScenarioError, dotted
from simbgp.scenario.families import family_mismatches
from simbgp.scenario.incidents import IncidentBook, read_incidents
from simbgp.scenario.layout import Layout, layout_of
from simbgp.scenario.lint import lint
from simbgp.scenario.manifests import read_objects
from simbgp.scenario.newcomers import added_services, with_joining
from simbgp.scenario.not_yet import refuse
from simbgp.scenario.objects import Objects
from simbgp.scenario.overrides import SET, apply, plain
from simbgp.scenario.plan import Plan
from simbgp.scenario.plan_of import plan_of
from simbgp.scenario.printable import printable
from simbgp.scenario.release import release_of
from simbgp.scenario.schema import Document
from simbgp.scenario.selection import Selection, select
from simbgp.scenario.yaml_tree import Tree

_WITH = "with_()"
NODES = ("cluster.nodes", "cluster.racks", "cluster.manifests", "cluster.from")
"""The parts that say which nodes there are."""


@dataclass(frozen=True, eq=False)
class Scenario:
    """A scenario without a known fault in it; immutable. Made by `simbgp.scenario.load`."""

    document: Document
    """The file as pydantic models."""
    source: str
    """The text as it was read, before any ``--set``."""
    _tree: Tree = field(repr=False)
    _folder: FilePath | None = field(repr=False)
    _root: FilePath | None = field(repr=False)
    _layout: Layout = field(repr=False)
    _objects: Objects = field(repr=False)
    _selection: Selection = field(repr=False)
    _services: ClusterServices = field(repr=False)
    _incidents: IncidentBook = field(repr=False)

    @property
    def name(self) -> str:
        """Its ``name``, else that of its file."""
        return self.document.name or _stem(self._tree.file)

    @property
    def file(self) -> str:
        """The file it was read from, as it was named."""
        return self._tree.file

    @property
    def overrides(self) -> tuple[str, ...]:
        """What ``--set`` and `with_` changed in the file, as ``PATH=VALUE`` in the order in which they did."""
        changed = [(path, place.text) for path, place in self._tree.places.items() if place.file in (SET, _WITH)]
        values = [text or json.dumps(reduce(getitem, path, self._tree.data)) for path, text in changed]
        return tuple(f"{dotted(path)}={value}" for (path, _), value in zip(changed, values, strict=True))

    @property
    def description(self) -> str:
        """Its ``description``."""
        return self.document.description

    @property
    def data(self) -> dict[str, Any]:
        """The file as plain mappings, lists and scalars; a copy."""
        return dict(copy.deepcopy(self._tree.data))

    @cached_property
    def hash(self) -> str:
        """SHA-256 over what the scenario says (not how: order and comments do not count) and over its files."""
        said = {"data": self._tree.data, "manifests": dict(self._objects.texts)}
        if self._incidents.texts:
            said["log"] = dict(self._incidents.texts)
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def plan(self) -> Plan:
        """Everything that a run needs, defaults filled in."""
        return self._plan

    @cached_property
    def _plan(self) -> Plan:
        objects, selection = self._objects, self._selection
        plan = plan_of(self.document, self.name, self._layout, objects, selection, self._services, self._incidents)
        mismatches = family_mismatches(self._tree, self._layout, self._objects, self._selection, plan)
        return replace(plan, warnings=(*plan.warnings, *mismatches))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was assumed about the manifests, and what is allowed and seldom meant, with its place in the file."""
        return self._tree.notes + self._plan.warnings + self._findings

    @cached_property
    def _findings(self) -> tuple[str, ...]:
        routers = {router.name: router.path for router in self._layout.routers}
        return tuple(finding.at(self._tree, routers) for finding in lint(self._plan))

    def _repr_html_(self) -> str:
        changed = "".join(f"<li><code>{escape(override)}</code></li>" for override in self.overrides)
        head = f"<p><b>{escape(self.name)}</b>: {escape(self.description)}</p>"
        return f"{head}<ul>{changed}</ul><details><summary>YAML</summary><pre>{escape(self.source)}</pre></details>"

    def with_(self, **changes: Any) -> "Scenario":
        """The scenario with other values at dotted paths: ``with_(**{"cluster.timers.holdTimeSeconds": 9})``.

        Raises `ScenarioError`, as reading a file with these values would.
        """
        tree = self._tree
        for path, value in changes.items():
            tree = apply(tree, path, plain(value), origin=_WITH)
        with allowing(self._root):
            return build(tree, self.source, self._folder)


def _stem(file: str) -> str:
    return printable(FilePath(file).name.split(".")[0].strip("<>")) or "scenario"


def build(tree: Tree, source: str, folder: FilePath | None) -> Scenario:
    """The scenario in ``tree``, its manifests beneath ``folder``. Raises `ScenarioError` with all its problems."""
    draft, problems = read_draft(tree)
    problems += refuse(tree)
    objects, layout, selection, services = Objects(), None, Selection(), None
    incidents = IncidentBook()
    if draft is not None:
        objects, layout, selection, services = _expanded(draft, folder)
        problems += check(View(draft, objects, layout, selection, services))
        names = ([], []) if layout is None else (list(layout.labels), list(layout.router_names))
        incidents = read_incidents(draft.document.failures, tree, folder, *names)
        problems += incidents.problems if layout is not None else ()
    problems = _without_echoes(problems)
    if problems:
        raise ScenarioError(_in_file_order(problems, tree.file))
    if draft is None or layout is None or services is None:
        raise AssertionError("a scenario without problems has a document and a layout")
    return Scenario(
        draft.document, source, tree, folder, allowed_root(), layout, objects, selection, services, incidents
    )


def _expanded(
    draft: Draft, folder: FilePath | None
) -> tuple[Objects, Layout | None, Selection, ClusterServices | None]:
    cluster = draft.document.cluster
    imported = (cluster.from_,) if cluster.from_ is not None else ()
    patterns = (*cluster.manifests, *imported) if draft.sound("cluster.manifests", "cluster.from") else ()
    objects = read_objects(draft.tree, patterns, folder)
    if not draft.sound(*NODES):
        return objects, None, Selection(), None
    layout = with_joining(draft.document, layout_of(draft.document, objects.nodes))
    placement = cluster.placement if draft.sound("cluster.placement") else {}
    release = release_of(cluster)
    services = cluster_services(objects, layout.nodes, placement, release, added_services(draft.document))
    sound = draft.sound("routers") and not objects.problems
    if not sound:
        return objects, layout, Selection(), services
    return objects, layout, select(objects, layout, services.services, release), services


def _without_echoes(problems: Iterable[Problem]) -> list[Problem]:
    """Once a value is not supported yet, it is not also unknown."""
    every = list(problems)
    waiting = {(p.file, p.line, p.column, p.path) for p in every if "is not supported yet" in p.message}
    return [
        p for p in every if (p.file, p.line, p.column, p.path) not in waiting or "is not supported yet" in p.message
    ]


def _in_file_order(problems: Sequence[Problem], file: str) -> list[Problem]:
    """The scenario's own first, then those of other files."""
    return sorted(problems, key=lambda problem: (problem.file != file, problem))
