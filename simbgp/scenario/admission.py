"""What the API server would answer to a manifest: the words of ``kubectl apply`` for what the CRDs do not admit.

Source of limits and rules: cilium ``pkg/k8s/apis/cilium.io/client/crds/v2/ciliumbgp*.yaml``; of the words: Kubernetes
``apiextensions-apiserver`` (pkg/apiserver/validation, schema/listtype, schema/cel), ``apimachinery`` field errors as
since 1.33, and ``pkg/apis/core/validation`` for core objects. Defaults of a CRD are filled in before its rules are
asked. One problem is told at a time; the address pattern, of 1 400 signs, is cut.
"""

import ipaddress
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from simbgp.scenario.errors import Path

_U16 = r"([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_U32 = (
    r"([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|"
    r"42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])"
)
_ADDRESS = r"((^\s*((([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])\.){3}..."
_PATTERNS = {
    "peerAddress": _ADDRESS,
    "localAddress": _ADDRESS,
    "standard": f"^{_U32}$|^{_U16}:{_U16}$",
    "large": f"^{_U32}:{_U32}:{_U32}$",
}
_FORMATS = {"cidr": "cidr", "routerID": "ipv4"}
_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}
_WANTED = {
    "int_type": "integer",
    "bool_type": "boolean",
    "string_type": "string",
    "tuple_type": "array",
    "mapping_type": "object",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
}
_SAFIS = (
    *("unicast", "multicast", "mpls_label", "encapsulation", "vpls", "evpn", "ls", "sr_policy", "mup", "mpls_vpn"),
    *("mpls_vpn_multicast", "route_target_constraints", "flowspec_unicast", "flowspec_vpn", "key_value"),
)
_UNBOUNDED = ("localPreference", "localPort")
"""Fields that have limits here and none in the CRD: a local preference, the local ports of an override."""
_BAD_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def field_path(path: Path) -> str:
    """A path as Kubernetes writes it: ``spec.bgpInstances[0].peers[1].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def invalid(data: Any, cause: str) -> str:
    """The answer to an object that is ``data``, with its one cause."""
    return f'The {data["kind"]} "{_name(data)}" is invalid: {cause}'


def no_such_version(data: Any, file: str) -> str:
    """What kubectl says of a version that the API server does not serve."""
    namespace = (data.get("metadata") or {}).get("namespace", "") if isinstance(data.get("metadata"), dict) else ""
    return (
        f'error: resource mapping not found for name: "{_name(data)}" namespace: "{namespace}" from "{file}": '
        f'no matches for kind "{data["kind"]}" in version "{data.get("apiVersion")}"'
    )


def refusal(data: Any, error: ErrorDetails, path: Path) -> str | None:
    """The answer to the fault that pydantic found at ``path``; None where the API server would not mind."""
    if error["type"] == "extra_forbidden":
        version = str(data.get("apiVersion")).rpartition("/")[2]
        return (
            f'Error from server (BadRequest): {data["kind"]} in version "{version}" cannot be handled as a '
            f'{data["kind"]}: strict decoding error: unknown field "{field_path(path)}"'
        )
    kind = str(data["kind"])
    cause = None if path[:1] == ("metadata",) or _is_ours(kind, error, path) else _cause(kind, error, path)
    return None if cause is None else invalid(data, cause)


def _is_ours(kind: str, error: ErrorDetails, path: Path) -> bool:
    """Whether only this reader minds: the CRD sets no limit, or takes any text."""
    if error["type"] in ("string_too_short", "string_too_long"):
        return path[-1] not in ("name", "interface") or "bgpInstances" not in path or "peerConfigRef" in path
    if not error["type"].endswith("than_equal") or path[-1] not in _UNBOUNDED:
        return False
    return path[-1] == "localPreference" or kind == "CiliumBGPNodeConfigOverride"


def _cause(kind: str, error: ErrorDetails, path: Path) -> str | None:
    where, value, context = field_path(path), error["input"], error.get("ctx", {})
    if error["type"] in _WANTED:
        given = _TYPES.get(type(value), "object")
        return f'{where}: Invalid value: "{given}": {where} in body must be of type {_WANTED[error["type"]]}: "{given}"'
    in_body = f"{where}: Invalid value: {_shown(value)}: {where} in body"
    match error["type"]:
        case "missing":
            return f"{where}: Required value"
        case "literal_error":
            allowed = context["expected"].replace(" or ", ", ").split(", ")
            names = ", ".join(json.dumps(name.strip("'")) for name in allowed)
            return f"{where}: Unsupported value: {_shown(value)}: supported values: {names}"
        case "greater_than_equal" | "less_than_equal" if not kind.startswith("Cilium"):
            return _of_core_number(where, path, value)
        case "greater_than_equal":
            return f"{in_body} should be greater than or equal to {context['ge']}"
        case "less_than_equal":
            return f"{in_body} should be less than or equal to {context['le']}"
        case "string_too_short":
            return f"{in_body} should be at least {context['min_length']} chars long"
        case "string_too_long":
            return f"{where}: Too long: may not be more than {context['max_length']} bytes"
        case "too_short":
            least = context["min_length"]
            return f"{where}: Invalid value: {len(value)}: {where} in body should have at least {least} items"
        case "too_long":
            return f"{where}: Too many: {len(value)}: must have at most {context['max_length']} items"
        case "value_error":
            return _of_text(kind, path, value)
    return None


def _of_core_number(where: str, path: Path, value: Any) -> str | None:
    if path[-1] == "port":
        return f"{where}: Invalid value: {_shown(value)}: must be between 1 and 65535, inclusive"
    if path[-1] == "replicas":
        return f"{where}: Invalid value: {_shown(value)}: must be greater than or equal to 0"
    return None


def _of_text(kind: str, path: Path, value: Any) -> str | None:
    """Text of a form: where the API server's own reading is looser (``10.1.0.1/24``), it does not mind."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    where = field_path(path)
    if key == "mode":
        return f'{where}: Unsupported value: {_shown(value)}: supported values: "DefaultGateway"'
    if key in _PATTERNS:
        return f"{where}: Invalid value: {_shown(value)}: {where} in body should match '{_PATTERNS[key]}'"
    if key in _FORMATS:
        return (
            f"{where}: Invalid value: {_shown(value)}: {where} in body must be of type {_FORMATS[key]}: {_shown(value)}"
        )
    if kind == "Node" and key in ("podCIDR", "podCIDRs") and not _is_network(value):
        where = "spec.podCIDRs[0]" if key == "podCIDR" else where
        return f"{where}: Invalid value: {_shown(value)}: {_BAD_CIDR}"
    if kind == "Service" and key in ("externalIPs", "clusterIP", "clusterIPs"):
        where = "spec.clusterIPs[0]" if key == "clusterIP" else where
        return f"{where}: Invalid value: {_shown(value)}: {_BAD_IP}"
    return None


def broken_rules(data: Any) -> Iterator[tuple[Path, str, str]]:
    """What no field alone is to blame for: where, what is wrong, and the API server's answer.

    These are the keys of lists that are maps, and the CRD's ``x-kubernetes-validations``.
    """
    spec = data.get("spec")
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
            names = ", ".join(map(_shown, _SAFIS))
            yield ("spec", "families", i, "safi"), what, f"Unsupported value: {_shown(safi)}: supported values: {names}"
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


def _name(data: Any) -> str:
    metadata = data.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _is_network(value: Any) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return "/" in str(value)
