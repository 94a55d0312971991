"""``simbgp import``: the objects that matter, out of all that a cluster has, in one file for ``cluster.from``."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML

from simbgp.scenario.crds import CILIUM
from simbgp.scenario.errors import ScenarioError
from simbgp.scenario.k8s import Secret
from simbgp.scenario.manifests import Objects, objects_of

_ANNOTATIONS = ("lbipam.cilium.io/", "io.cilium/lb-ipam")


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of the objects: the file, what there is to know about them, and the routers that they dial."""

    text: str
    warnings: tuple[str, ...]
    routers: tuple[str, ...]
    """Entries of ``routers`` as YAML flow mappings, whose profile is for the reader to choose."""


def import_objects(texts: Mapping[str, str]) -> Imported:
    """A List of the objects in ``texts`` with only those fields that are read.

    Of a Secret nothing but its name is kept, and that it has no password if so. Raises `ScenarioError` with all that
    is wrong.
    """
    objects = objects_of(texts)
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
    text = _dumped({"apiVersion": "v1", "kind": "List", "items": items})
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


def _dumped(data: object) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(_plain(data), text)
    return text.getvalue()


def _plain(value: object) -> object:
    """Tuples as lists, which is what YAML has."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
