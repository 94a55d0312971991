"""What the API server would answer to a manifest: the words of ``kubectl apply`` for what the CRDs do not admit.

Source of limits and rules: cilium ``pkg/k8s/apis/cilium.io/client/crds/v2/ciliumbgp*.yaml``; of the words: Kubernetes
``apiextensions-apiserver`` (pkg/apiserver/validation, schema/listtype, schema/cel), ``apimachinery`` field errors as
since 1.33, and ``pkg/apis/core/validation`` for core objects. Defaults of a CRD are filled in before its rules are
asked. One problem is told at a time; the address pattern, of 1 400 signs, is cut.
"""

import ipaddress
import json
from collections.abc import Mapping
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
_FORMATS = {"cidr": "cidr", "cidrs": "cidr", "routerID": "ipv4"}
_LABEL_VALUE = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
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
    return f'The {data["kind"]} "{name_of(data)}" is invalid: {cause}'


def no_such_version(data: Any, file: str) -> str:
    """What kubectl says of a version that the API server does not serve."""
    namespace = (data.get("metadata") or {}).get("namespace", "") if isinstance(data.get("metadata"), dict) else ""
    return (
        f'error: resource mapping not found for name: "{name_of(data)}" namespace: "{namespace}" from "{file}": '
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
    in_body = f"{where}: Invalid value: {shown(value)}: {where} in body"
    match error["type"]:
        case "missing":
            return f"{where}: Required value"
        case "literal_error":
            allowed = context["expected"].replace(" or ", ", ").split(", ")
            names = ", ".join(json.dumps(name.strip("'")) for name in allowed)
            return f"{where}: Unsupported value: {shown(value)}: supported values: {names}"
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
        return f"{where}: Invalid value: {shown(value)}: must be between 1 and 65535, inclusive"
    if path[-1] == "replicas":
        return f"{where}: Invalid value: {shown(value)}: must be greater than or equal to 0"
    return None


def _of_text(kind: str, path: Path, value: Any) -> str | None:
    """Text of a form: where the API server's own reading is looser (``10.1.0.1/24``), it does not mind."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    where = field_path(path)
    if "matchLabels" in path:
        if not kind.startswith("Cilium"):
            return None
        if len(str(value)) > 63:
            return f"{where}: Too long: may not be more than 63 bytes"
        return f"{where}: Invalid value: {shown(value)}: {where} in body should match '{_LABEL_VALUE}'"
    if key == "mode":
        return f'{where}: Unsupported value: {shown(value)}: supported values: "DefaultGateway"'
    if key in _PATTERNS:
        return f"{where}: Invalid value: {shown(value)}: {where} in body should match '{_PATTERNS[key]}'"
    if key in _FORMATS:
        return (
            f"{where}: Invalid value: {shown(value)}: {where} in body must be of type {_FORMATS[key]}: {shown(value)}"
        )
    if kind == "Node" and key in ("podCIDR", "podCIDRs") and not _is_network(value):
        where = "spec.podCIDRs[0]" if key == "podCIDR" else where
        return f"{where}: Invalid value: {shown(value)}: {_BAD_CIDR}"
    if kind == "Service" and key in ("externalIPs", "clusterIP", "clusterIPs"):
        where = "spec.clusterIPs[0]" if key == "clusterIP" else where
        return f"{where}: Invalid value: {shown(value)}: {_BAD_IP}"
    return None


def name_of(data: Any) -> str:
    """The object's name, empty if it has none."""
    metadata = data.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def shown(value: Any) -> str:
    """A value as Kubernetes prints it in an error."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _is_network(value: Any) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return "/" in str(value)
