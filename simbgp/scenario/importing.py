"""``simbgp import``: the objects that matter, out of all that a cluster has, in one file for ``cluster.from``."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml
from yaml.nodes import ScalarNode

from simbgp.scenario.crds import CILIUM
from simbgp.scenario.errors import ScenarioError
from simbgp.scenario.k8s import Secret
from simbgp.scenario.limits import IMPORTED
from simbgp.scenario.manifests import objects_of
from simbgp.scenario.objects import Objects
from simbgp.scenario.scalars import is_word

try:
    from yaml import CSafeDumper as _FastDumper
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeDumper as _FastDumper  # type: ignore[assignment]
_ANNOTATIONS = ("lbipam.cilium.io/", "io.cilium/lb-ipam")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of the objects: the file, what there is to know about them, and the routers that they dial."""

    text: str
    warnings: tuple[str, ...]
    routers: tuple[str, ...]
    """Entries of ``routers`` as YAML flow mappings, whose profile is for the reader to choose."""


def import_objects(texts: Mapping[str, str], *, as_json: bool = False) -> Imported:
    """A List of the objects in ``texts`` with only those fields that are read, as YAML or as JSON.

    Of a Secret nothing but its name is kept, and that it has no password if so. Raises `ScenarioError` with all that
    is wrong.
    """
    objects = objects_of(texts, IMPORTED)
    if objects.problems:
        raise ScenarioError(list(objects.problems))
    items = []
    for item in objects.items:
        body = item.body.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        version = item.tree.data
        for part in item.base:
            version = version[part]
        body["metadata"] = _trimmed(body["metadata"])
        if isinstance(item.body, Secret):
            body = {"metadata": body["metadata"]} | ({} if item.body.has_password else {"data": {}})
        written = version["apiVersion"] if version["kind"] == item.kind else CILIUM[0]  # a policy's successors
        items.append({"apiVersion": written, "kind": item.kind, **body})
    made = {"apiVersion": "v1", "kind": "List", "items": items}
    text = json.dumps(made, indent=1, ensure_ascii=False) + "\n" if as_json else _dumped(made)
    nothing = () if items else ("there is no object in it that says anything about BGP, nodes or services",)
    return Imported(text, (*objects.warnings, *nothing), tuple(_routers(objects)))


def _routers(objects: Objects) -> Iterator[str]:
    """One for each address and ASN that a peer has; of a peer that is discovered the ASN alone is known."""
    peers = [peer for item in objects.deciding for i in item.body.spec.bgp_instances for peer in i.peers]
    for number, (asn, address) in enumerate(dict.fromkeys((peer.peer_asn, peer.peer_address) for peer in peers), 1):
        known = (f"asn: {asn}" if asn else "", f"address: '{address}'" if address else "")
        yield "{" + ", ".join((f"name: router-{number}", "profile: frr-8.4", *filter(None, known))) + "}"


def _trimmed(metadata: dict[str, object]) -> dict[str, object]:
    """Annotations are kept if LB-IPAM reads them; others may be long, and may hold secrets."""
    annotations = metadata.get("annotations")
    kept = {
        key: value
        for key, value in (annotations.items() if isinstance(annotations, dict) else ())
        if key.startswith(_ANNOTATIONS)
    }
    rest = {key: value for key, value in metadata.items() if key != "annotations"}
    return rest | ({"annotations": kept} if kept else {})


class _Dumper(_FastDumper):
    """Writes what is read as it was: as YAML 1.2 has it, where more words are text, and some are not, than in 1.1."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out."""
        return True


def _text(dumper: _Dumper, text: str) -> ScalarNode:
    """Text that YAML 1.2 would take for something else is quoted, whatever 1.1 thinks of it."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_word(text) else "'")


_Dumper.add_representer(str, _text)


def _dumped(data: object) -> str:
    return str(yaml.dump(_plain(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True))


def _plain(value: object) -> object:
    """Tuples as lists, which is what YAML has."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
