"""Objects as kubectl prints them: ``get -o yaml``, ``get -o json``, ``describe``.

Source: kubectl ``pkg/describe/describe.go`` (printUnstructuredContent, smartLabelFor), a tabwriter of its own
(NewWriter(w, 0, 8, 2, ' ', 0)); sigs.k8s.io/yaml, which sorts keys and does not indent lists.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from simbgp.report.cilium.tabwriter import tabulate

Form = Literal["yaml", "json", "describe"]
_ACRONYMS = ("API", "URL", "UID", "OSB", "GUID")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+")
_NOT_TEXT = re.compile(
    r"""[-+]?(\d[\d_]*)(\.\d*)?([eE][-+]?\d+)? | [-+]?\.\d+([eE][-+]?\d+)? | 0[xob][\da-fA-F_]+  # numbers
    | [-+]?\.(inf|Inf|INF) | \.(nan|NaN|NAN) | [-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?                # and base 60
    | \d{4}-\d\d?-\d\d?([Tt\s].*)?                                                              # dates
    | ~ | null | Null | NULL | <<? | =
    | (y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF|true|True|TRUE|false|False|FALSE)""",
    re.VERBOSE,
)
_NOT_PLAIN = re.compile(r"""^[-?:](\s|$) | ^[,\[\]{}#&*!|>'"%@`] | ^\s | \s$ | :(\s|$) | \s\# """, re.VERBOSE)


def printed(objects: Sequence[Mapping[str, Any]], form: Form, single: bool) -> str:
    """All ``objects``, or with ``single`` the only one, which is then no list."""
    if form == "describe":
        return "\n\n".join(map(describe, objects))
    whole: Mapping[str, Any] = objects[0] if single else _list(objects)
    return to_yaml(whole) if form == "yaml" else json.dumps(_sorted(whole), indent=4, ensure_ascii=False) + "\n"


def _list(objects: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def to_yaml(value: Mapping[str, Any]) -> str:
    """A mapping as kubectl writes it."""
    return "".join(f"{line}\n" for line in _yaml(value))


def _yaml(value: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(value):
        inner = value[key]
        if isinstance(inner, Mapping) and inner:
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _yaml(inner))
        elif isinstance(inner, list) and inner:
            yield f"{_scalar(key)}:"
            yield from _items(inner)
        else:
            yield f"{_scalar(key)}: {_scalar(inner)}"


def _items(items: list[Any]) -> Iterator[str]:
    for item in items:
        lines = list(_yaml(item)) if isinstance(item, Mapping) and item else [_scalar(item)]
        yield from (f"{'- ' if i == 0 else '  '}{line}" for i, line in enumerate(lines))


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if not value or "\n" in value or _NOT_TEXT.fullmatch(value):
        return json.dumps(value, ensure_ascii=False)
    return "'" + value.replace("'", "''") + "'" if _NOT_PLAIN.search(value) else value


def describe(item: Mapping[str, Any]) -> str:
    """``kubectl describe`` of an object of which kubectl knows nothing special and that has no events."""
    metadata = item.get("metadata", {})
    head = [f"Name:\t{metadata.get('name', '')}", f"Namespace:\t{metadata.get('namespace', '')}"]
    head += _multiline("Labels", metadata.get("labels"), "=") + _multiline(
        "Annotations", metadata.get("annotations"), ": "
    )
    shown = ("name", "namespace", "labels", "annotations")
    rest = {**item, "metadata": {key: value for key, value in metadata.items() if key not in shown}}
    lines = [*head, *_described(rest, 0), "Events:\t<none>"]
    return tabulate("".join(f"{line}\n" for line in lines), min_width=0, padding=2)


def _multiline(label: str, pairs: Mapping[str, str] | None, between: str) -> list[str]:
    texts = [f"{key}{between}{pairs[key]}" for key in sorted(pairs)] if pairs else ["<none>"]
    return [f"{label if i == 0 else ''}{':' if i == 0 else ''}\t{text}" for i, text in enumerate(texts)]


def _described(value: Mapping[str, Any], level: int) -> Iterator[str]:
    indent = "  " * level
    for key in sorted(value):
        inner, label = value[key], _label(key)
        if isinstance(inner, Mapping):
            yield f"{indent}{label}:"
            yield from _described(inner, level + 1)
        elif isinstance(inner, list):
            yield f"{indent}{label}:"
            for item in inner:
                if isinstance(item, Mapping):
                    yield from _described(item, level + 1)
                else:
                    yield f"{indent}  {_go(item)}"
        else:
            yield f"{indent}{label}:\t{_go(inner)}"


def _go(value: Any) -> str:
    """A value as ``%v`` prints it."""
    return str(value).lower() if isinstance(value, bool) else "<nil>" if value is None else str(value)


def _label(key: str) -> str:
    """``localASN`` as ``Local ASN``: split at its humps, acronyms in capitals."""
    words = [word for word in _WORDS.findall(key) if word != "_"]
    return " ".join(word.upper() if word.upper() in _ACRONYMS else word[:1].upper() + word[1:] for word in words)
