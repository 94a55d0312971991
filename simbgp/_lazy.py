"""Packages whose names are loaded when they are first used, so that nobody pays for what he does not need."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(namespace: dict[str, Any], homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package (PEP 562): ``homes`` says in which module each of its names is.

    No name may be that of a submodule, which would take its place.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        value = getattr(import_module(homes[name]), name)
        namespace[name] = value
        return value

    def names() -> list[str]:
        return sorted({*namespace, *homes})

    return get, names
