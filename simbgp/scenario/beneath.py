"""Files that a scenario names: they lie beneath its own folder, or beneath the one that the user allowed.

A scenario may come from a stranger's pull request, and what it names is quoted in messages and results: no path, no
``..`` and no symbolic link leads out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_allowed: ContextVar[Path | None] = ContextVar("_allowed", default=None)


@contextmanager
def allowing(root: Path | None) -> Iterator[None]:
    """Within, files may lie anywhere beneath ``root`` too; None changes nothing."""
    token = _allowed.set(_allowed.get() if root is None else root.resolve())
    try:
        yield
    finally:
        _allowed.reset(token)


def allowed_root() -> Path | None:
    """The folder that is allowed now beside the scenario's own."""
    return _allowed.get()


def found_beneath(pattern: str, folder: Path | None) -> list[str]:
    """The files that ``pattern`` names, relative to ``folder`` and sorted. ValueError if one is not beneath it."""
    if folder is None:
        raise ValueError("a scenario that is not a file has no folder to look in; allowed: a scenario from a file")
    pure, root = Path(pattern), _allowed.get()
    if "\0" in pattern or (root is None and (pure.is_absolute() or ".." in pure.parts)):
        raise ValueError(f"{pattern!r} leaves the scenario's folder; allowed: files beneath it, like cluster/*.yaml")
    start, rest = (Path(pure.anchor), str(pure.relative_to(pure.anchor))) if pure.is_absolute() else (folder, pattern)
    found = []
    for path in start.glob(rest):
        if path.is_file():
            _check(path, folder, root)
            found.append(path.as_posix() if pure.is_absolute() else path.relative_to(folder).as_posix())
    return sorted(found)


def _check(path: Path, folder: Path, root: Path | None) -> None:
    real = path.resolve()
    if real.is_relative_to(folder.resolve()) or (root is not None and real.is_relative_to(root)):
        return
    where = "the scenario's folder" if root is None else f"the scenario's folder and {root}"
    raise ValueError(f"{path} leads out of {where}; allowed: files beneath it")


def file_beneath(name: str, folder: Path | None) -> str:
    """The one file ``name``, relative to ``folder``. ValueError as above, or if there is none."""
    if folder is None:
        raise ValueError("a scenario that is not a file has no folder to look in; allowed: a scenario from a file")
    root = _allowed.get()
    if "\0" in name or (root is None and (Path(name).is_absolute() or ".." in Path(name).parts)):
        raise ValueError(f"{name!r} leaves the scenario's folder; allowed: a file beneath it")
    path = folder / name
    if not path.is_file():
        raise ValueError(f"{path}: cannot be read: it is no file; allowed: one beneath the scenario's folder")
    _check(path, folder, root)
    return name
