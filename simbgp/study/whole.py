"""Files that appear whole or not at all."""

import os
import stat
from contextlib import suppress
from pathlib import Path

UNFINISHED = ".unfinished"


def write_whole(path: str | Path, content: str | bytes) -> None:
    """Write a file by way of a neighbour that takes its place when all of it is on the disk.

    What is no file (``/dev/stdout``, a pipe) is written to as it is. Raises OSError, then nothing of it is left.
    """
    data = content.encode() if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    if _is_special(target):
        target.write_bytes(data)
        return
    unfinished = target.with_name(target.name + UNFINISHED)
    try:
        with unfinished.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(target)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.stat().st_mode) and not path.is_dir()
    except OSError:
        return False
