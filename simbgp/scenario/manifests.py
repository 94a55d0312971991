"""``cluster.manifests``: files of Kubernetes and Cilium objects as kubectl prints them."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from simbgp.scenario.admission import no_such_version, refusal
from simbgp.scenario.admission_rules import broken_rules
from simbgp.scenario.api_objects import Metadata
from simbgp.scenario.beneath import found_beneath
from simbgp.scenario.crd_pools import CiliumNode
from simbgp.scenario.crds import PeerConfig
from simbgp.scenario.errors import Path, Problem, ScenarioError
from simbgp.scenario.k8s import Secret
from simbgp.scenario.kinds import NAMESPACED, READ
from simbgp.scenario.legacy import PeeringPolicy, successors, unmapped
from simbgp.scenario.limits import MANIFESTS, Allowance, Most
from simbgp.scenario.messages import validate, with_answer
from simbgp.scenario.node_configs import NodeConfig
from simbgp.scenario.node_objects import NodeObject, is_address, node_of
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.yaml_tree import Tree, read_file

MAX_FILES = 1000
_LEGACY = "CiliumBGPPeeringPolicy"
_LEGACY_VERSION = "cilium.io/v2alpha1"


def read_objects(tree: Tree, patterns: Sequence[str], folder: FilePath | None) -> Objects:
    """The objects of every file beneath ``folder`` that one of ``patterns`` names, with all that is wrong in them."""
    if not patterns:
        return Objects()
    problems: list[Problem] = []
    files = {path: os.path.join(str(folder), path) for path in _files(tree, patterns, folder, problems)}
    texts, wrong = texts_of(files, MANIFESTS)
    found = objects_of({files[path]: text for path, text in texts.items()})
    return replace(found, problems=(*problems, *wrong, *found.problems), texts=texts)


def texts_of(files: Mapping[str, str], most: Most) -> tuple[dict[str, str], list[Problem]]:
    """What is in some files, which together may have ``most`` bytes; ``files`` has the path of each by its key."""
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    size = 0
    for key, shown in files.items():
        try:
            text = read_file(FilePath(shown), shown, most)
        except ScenarioError as error:
            problems.extend(error.problems)
            continue
        size += len(text)
        if size > most.bytes:
            what = f"the files up to this one are too big together; allowed: {most.bytes} bytes{most.advice}"
            return texts, [*problems, Problem(shown, 1, 1, "", what)]
        texts[key] = text
    return texts, problems


def objects_of(texts: Mapping[str, str], most: Most = MANIFESTS) -> Objects:
    """The objects in some texts, by the name of the file each is from; all together have at most ``most`` values."""
    from simbgp.scenario.documents import read_many  # PyYAML is loaded where there are manifests

    problems: list[Problem] = []
    allowance = Allowance(most)
    items: dict[tuple[str, str], Item] = {}
    unused: Counter[str] = Counter()
    for shown, text in texts.items():
        try:
            for document in read_many(text, shown, allowance):
                for item in _objects(document, document.data, (), problems, unused):
                    _add(items, item, problems)
        except ScenarioError as error:
            problems.extend(error.problems)
        if allowance.left < 0:
            break
    return Objects(tuple(items.values()), tuple(problems), tuple(_warnings(unused, items)), dict(texts))


def _files(tree: Tree, patterns: Sequence[str], folder: FilePath | None, problems: list[Problem]) -> Iterator[str]:
    """Paths relative to ``folder``, each once, in the order of the patterns and sorted within one."""
    seen: dict[str, None] = {}
    for i, pattern in enumerate(patterns):
        try:
            found = found_beneath(pattern, folder)
            if not found:
                raise ValueError(f"no file matches {pattern!r} beneath {folder}")
            seen.update(dict.fromkeys(found))
        except (ValueError, NotImplementedError, OSError) as error:
            problems.append(tree.problem(_place(tree, i), str(error)))
    if len(seen) > MAX_FILES:
        problems.append(tree.problem(("cluster", "manifests"), f"{len(seen)} files; allowed: at most {MAX_FILES}"))
        return
    yield from seen


def _place(tree: Tree, i: int) -> Path:
    """Where the pattern ``i`` is written; the one after those of ``manifests`` is that of ``from``."""
    written = ("cluster", "manifests", i)
    return written if written in tree.places else ("cluster", "from")


def _objects(tree: Tree, data: Any, base: Path, problems: list[Problem], unused: Counter[str]) -> Iterator[Item]:
    if data is None:
        return
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str):
        problems.append(tree.problem(base, "not a Kubernetes object: it has no kind"))
    elif isinstance(data.get("items"), list) and kind.endswith("List"):
        for i, item in enumerate(data["items"]):
            yield from _objects(tree, item, (*base, "items", i), problems, unused)
    elif kind == _LEGACY:
        yield from _read_legacy(tree, data, base, problems)
    elif kind in READ:
        yield from _read(tree, kind, data, base, problems)
    else:
        unused[kind] += 1


def _read(tree: Tree, kind: str, data: dict[str, Any], base: Path, problems: list[Problem]) -> Iterator[Item]:
    versions, model = READ[kind]
    if data.get("apiVersion") not in versions:
        what = f"{data.get('apiVersion')!r} is not a version of {kind}; allowed: {', '.join(versions)}"
        answer = with_answer(what, no_such_version(data, tree.file))
        problems.append(tree.problem((*base, "apiVersion"), answer))
    body, wrong = validate(model, tree, data, base, lambda error, path: refusal(data, error, path))
    problems.extend(problem for _, problem in wrong)
    for path, what, answer in broken_rules(data):
        problems.append(tree.problem(base + path, with_answer(what, answer)))
    if body is not None:
        yield Item(kind, _name(kind, body.metadata), body, tree, base)


def _read_legacy(tree: Tree, data: dict[str, Any], base: Path, problems: list[Problem]) -> Iterator[Item]:
    """A policy as what succeeded it; places in it are those of the policy."""
    if data.get("apiVersion") != _LEGACY_VERSION:
        what = f"{data.get('apiVersion')!r} is not a version of {_LEGACY}; allowed: {_LEGACY_VERSION}"
        problems.append(tree.problem((*base, "apiVersion"), what))
    policy, wrong = validate(PeeringPolicy, tree, data, base)
    problems.extend(problem for _, problem in wrong)
    if policy is not None:
        problems.extend(tree.problem(base + path, what) for path, what in unmapped(policy))
        yield from (Item(kind, body.metadata.name, body, tree, base) for kind, body in successors(policy))


def _name(kind: str, metadata: Metadata) -> str:
    """``namespace/name``, or the name of what has no namespace."""
    return f"{metadata.namespace or 'default'}/{metadata.name}" if kind in NAMESPACED else metadata.name


def _add(items: dict[tuple[str, str], Item], item: Item, problems: list[Problem]) -> None:
    first = items.setdefault((item.kind, item.name), item)
    if first is not item:
        where = first.tree.place((*first.base, "metadata", "name"))
        what = f"{item.kind} {item.name!r} is there twice, first in {where.file}:{where.line}"
        problems.append(item.problem(("metadata", "name"), what))
    if isinstance(item.body, NodeObject):
        for i, entry in enumerate(item.body.status.addresses):
            if entry.type == "InternalIP" and not is_address(entry.address):
                path = ("status", "addresses", i, "address")
                problems.append(item.problem(path, f"{entry.address!r} is not an IP address"))


def _warnings(unused: Counter[str], items: Mapping[tuple[str, str], Item]) -> Iterator[str]:
    if unused:
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(unused.items()))
        yield f"{unused.total()} objects of the manifests are not used: {counts}"
    yield from _without_nodes(items)
    secrets = {item.body.metadata.name for item in items.values() if isinstance(item.body, Secret)}
    for item in items.values():
        if isinstance(item.body, NodeObject) and not node_of(item.body).pod_cidrs:
            yield f"Node {item.name} has no podCIDR, so it announces none"
        if isinstance(item.body, NodeObject) and not node_of(item.body).addresses:
            yield f"Node {item.name} has no InternalIP; an address is made up"
        if isinstance(item.body, PeerConfig) and item.body.spec.auth_secret_ref is not None:
            secret = item.body.spec.auth_secret_ref
            if secret in secrets:
                continue
            yield f"Secret {secret} of CiliumBGPPeerConfig {item.name} is assumed to be present"


def _without_nodes(items: Mapping[tuple[str, str], Item]) -> Iterator[str]:
    kinds = {type(item.body) for item in items.values()}
    if NodeConfig in kinds and not kinds & {NodeObject, CiliumNode}:
        yield "no Node is in the manifests: the nodes are those of the CiliumBGPNodeConfigs, and have no podCIDR"
