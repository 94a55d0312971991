"""A study on disk: what was asked in ``run.json``, what is played in ``parts/``, what came out beside them.

Every file appears whole or not at all, so a study may be killed at any moment: what is missing is played again.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simbgp.study.batch import Batch, Part
from simbgp.study.engines import Engine
from simbgp.study.kept import read, written
from simbgp.study.replay import Record
from simbgp.study.whole import UNFINISHED, write_whole

_ABOUT = "run.json"
_NOT_COMPARED = frozenset({"command"})


class FolderError(Exception):
    """A folder cannot take a study, or holds another one."""


class Folder:
    """A folder with one study. ``about`` says which: it is kept as ``run.json``.

    Raises `FolderError` if the folder holds a study already and that is not to be resumed, or is another one.
    """

    def __init__(self, path: str | Path, about: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = Path(path)
        try:
            self._parts = self.path / "parts"
            self._claim(about, resume)
            self._parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(f"{self.path}: {error.strerror or error}") from None

    def _claim(self, about: Mapping[str, Any], resume: bool) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / _ABOUT
        if not file.exists():
            names = sorted(found.name for found in self.path.iterdir())
            if foreign := [name for name in names if not name.endswith(UNFINISHED)]:
                raise FolderError(f"{self.path} holds something else: {foreign[0]}")
            self.write(_ABOUT, json.dumps(about, indent=2) + "\n")
        elif not resume:
            raise FolderError(f"{self.path} holds a study already; --resume goes on with it")
        else:
            self._compare(_read(file), json.loads(json.dumps(about)))

    def _compare(self, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
        for key in ours:
            if key not in _NOT_COMPARED and theirs.get(key) != ours[key]:
                raise FolderError(f"{self.path} holds a study of another {key}{_brief(theirs.get(key), ours[key])}")

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the folder, whole or not at all. Raises FolderError; then what was done before is kept."""
        try:
            write_whole(self.path / name, content)
        except OSError as error:
            what = f"{error.filename} cannot be written: {error.strerror or error}"
            raise FolderError(f"{what}; what was done is kept, --resume goes on with it") from None

    def played(
        self, batch: Batch, parts: Sequence[range], engine: Engine, tick: Callable[[int], None] | None = None
    ) -> Iterator[Part]:
        """The records of ``parts``, in their order; those that are not in the folder are played and kept first."""
        missing = {part: None for part in parts if not self._file(part).exists()}
        fresh = engine.map(batch, list(missing), tick)
        for part in parts:
            if part in missing:
                self.write(f"parts/{self._file(part).name}", written(next(fresh)))
            found = _kept(self._file(part), batch, part)
            if part not in missing and tick is not None:
                tick(sum(map(len, found)))
            yield found

    def _file(self, part: range) -> Path:
        return self._parts / f"{part.start:07}-{part.stop - 1:07}.json"


def _read(file: Path) -> Any:
    try:
        found = json.loads(file.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("not an object")
        return found
    except (OSError, ValueError, RecursionError):
        raise FolderError(f"{file} is damaged; delete it and resume") from None


def _kept(file: Path, batch: Batch, part: range) -> list[list[Record]]:
    """What was written to ``file``. A disk that lies must not end as a wrong number, nor a folder of another's."""
    try:
        return read(file.read_bytes(), batch, part)
    except OSError as error:
        raise FolderError(f"{file} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise FolderError(f"{file} is damaged; delete it and resume") from None


def _brief(theirs: object, ours: object) -> str:
    shown = [json.dumps(value) for value in (theirs, ours)]
    return f": {shown[0]}, not {shown[1]}" if max(map(len, shown)) <= 80 else ""
