"""What the API server minds of an object as a whole: its name, keys of lists that are maps, and rules of the CRDs.

Source: the ``x-kubernetes-validations`` and ``x-kubernetes-list-map-keys`` of cilium
``pkg/k8s/apis/cilium.io/client/crds/v2/ciliumbgp*.yaml``; of the words see `simbgp.scenario.admission`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simbgp.scenario.admission import field_path, invalid, name_of, shown
from simbgp.scenario.errors import Path

_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_BAD_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    f"end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_NAME}')"
)
_SAFIS = (
    *("unicast", "multicast", "mpls_label", "encapsulation", "vpls", "evpn", "ls", "sr_policy", "mup", "mpls_vpn"),
    *("mpls_vpn_multicast", "route_target_constraints", "flowspec_unicast", "flowspec_vpn", "key_value"),
)


def broken_rules(data: Any) -> Iterator[tuple[Path, str, str]]:
    """What no field alone is to blame for: where, what is wrong, and the API server's answer.

    These are names, the keys of lists that are maps, and the CRD's ``x-kubernetes-validations``.
    """
    spec, name = data.get("spec"), name_of(data)
    if str(data["kind"]).startswith("Cilium") and name and not (re.fullmatch(_NAME, name) and len(name) < 254):
        what = f"{name!r} is no name of an object; allowed: a-z, 0-9, - and ."
        yield ("metadata", "name"), what, invalid(data, f"metadata.name: Invalid value: {shown(name)}: {_BAD_NAME}")
    rules = _RULES.get(str(data["kind"]))
    if rules is not None and isinstance(spec, dict):
        for path, what, cause in rules(spec):
            yield path, what, invalid(data, f"{field_path(path)}: {cause}")


_Broken = Iterator[tuple[Path, str, str]]


def _of_peer_config(spec: Mapping[str, Any]) -> _Broken:
    for i, family in _mappings(spec.get("families")):
        safi = family.get("safi")
        if isinstance(safi, str) and safi not in _SAFIS:
            what = f"'{family.get('afi')}/{safi}' is not supported yet; supported: ipv4/unicast, ipv6/unicast"
            names = ", ".join(map(shown, _SAFIS))
            yield ("spec", "families", i, "safi"), what, f"Unsupported value: {shown(safi)}: supported values: {names}"
    timers = spec.get("timers")
    if not isinstance(timers, dict):
        return
    hold, keepalive = timers.get("holdTimeSeconds", 90), timers.get("keepAliveTimeSeconds", 30)
    if isinstance(hold, int) and isinstance(keepalive, int) and keepalive > hold >= 3:
        rule = "keepAliveTimeSeconds can not be larger than holdTimeSeconds"
        yield ("spec", "timers"), f"{rule} ({hold}); it is 30 if it is not given", _rule(rule)


def _of_cluster_config(spec: Mapping[str, Any]) -> _Broken:
    instances = _mappings(spec.get("bgpInstances"))
    yield from _twins(("spec", "bgpInstances"), "instance", instances)
    for i, instance in instances:
        path: Path = ("spec", "bgpInstances", i, "peers")
        peers = _mappings(instance.get("peers"))
        yield from _twins(path, "peer", peers)
        for j, peer in peers:
            found = peer.get("autoDiscovery")
            if peer.get("peerAddress") is None and found is None:
                rule = "one of peerAddress or autoDiscovery must be set"
                yield (*path, j), rule, _rule(rule)
            if isinstance(found, dict):
                yield from (((*path, j, "autoDiscovery"), rule, _rule(rule)) for rule in _of_discovery(found))


def _of_discovery(found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("mode") == "DefaultGateway" and found.get("defaultGateway") is None:
        yield "defaultGateway must be set when mode is DefaultGateway"


def _of_override(spec: Mapping[str, Any]) -> _Broken:
    instances = _mappings(spec.get("bgpInstances"))
    yield from _twins(("spec", "bgpInstances"), "instance", instances)
    for i, instance in instances:
        yield from _twins(("spec", "bgpInstances", i, "peers"), "peer", _mappings(instance.get("peers")))


def _of_advertisement(spec: Mapping[str, Any]) -> _Broken:
    for i, entry in _mappings(spec.get("advertisements")):
        kind = entry.get("advertisementType")
        for key, owner in (("service", "Service"), ("interface", "Interface")):
            has = entry.get(key) is not None
            rule = f"{key} field is required for the '{owner}' advertisementType"
            if has and kind != owner:
                rule = f"{key} field is not allowed for non-'{owner}' advertisementType"
            if has != (kind == owner):
                yield ("spec", "advertisements", i), rule, _rule(rule)
        if kind == "PodCIDR" and entry.get("selector") is not None:
            rule = "selector field is not allowed for the 'PodCIDR' advertisementType"
            yield ("spec", "advertisements", i), rule, _rule(rule)


def _rule(message: str) -> str:
    return f'Invalid value: "object": {message}'


def _twins(path: Path, what: str, entries: Sequence[tuple[int, Mapping[str, Any]]]) -> _Broken:
    seen: set[str] = set()
    for i, entry in entries:
        name = entry.get("name")
        if isinstance(name, str):
            if name in seen:
                key = json.dumps({"name": name}, separators=(",", ":"), ensure_ascii=False)
                yield (
                    (*path, i),
                    f"{what} {name!r} is there twice; allowed: names of their own",
                    f"Duplicate value: {key}",
                )
            seen.add(name)


_RULES: Mapping[str, Callable[[Mapping[str, Any]], _Broken]] = {
    "CiliumBGPPeerConfig": _of_peer_config,
    "CiliumBGPClusterConfig": _of_cluster_config,
    "CiliumBGPNodeConfigOverride": _of_override,
    "CiliumBGPAdvertisement": _of_advertisement,
}


def _mappings(entries: Any) -> list[tuple[int, Mapping[str, Any]]]:
    listed = entries if isinstance(entries, list) else []
    return [(i, entry) for i, entry in enumerate(listed) if isinstance(entry, dict)]
