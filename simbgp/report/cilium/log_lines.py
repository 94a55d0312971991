"""Log lines as Cilium's releases write them: logrus up to 1.17, log/slog since; text, or JSON with Helm's format.

Source: cilium ``pkg/logging/logging.go`` and ``pkg/logging/slog.go``; lines of each kind stand in cilium/cilium#33163
and #24975 (logrus). The tag ``subsys`` is what Cilium's operation guide says to filter by, in all releases.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simbgp.report.cilium.go import rfc3339, rfc3339_nano

Level = Literal["info", "warning"]
Value = str | int | bytes
_LOGRUS_PLAIN = re.compile(r"[A-Za-z0-9\-._/@^+]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a process: an agent's, which is named by its ``node``, or the operator's."""

    time_us: int
    node: str | None
    library: Literal["logrus", "slog"]
    level: Level
    message: str
    module: str
    subsys: str
    fields: tuple[tuple[str, Value], ...] = ()
    """Beside these, in the order in which they were added."""


def text(line: Line, time_zero: datetime) -> str:
    """The line in the text format with timestamps, which is the default."""
    return _FORMS[line.library](line, time_zero)


def as_json(line: Line, time_zero: datetime, origin: str | None = None) -> str:
    """The line in the JSON format with timestamps; ``origin``, which none writes, tells several apart."""
    place = {} if origin is None else {"origin": origin}
    common: dict[str, str | int] = {"level": _level(line), "msg": line.message}
    own = {key: _shown(value, line.library) for key, value in line.fields}
    if line.library == "logrus":
        found = {**common, **own, "subsys": line.subsys, "time": rfc3339(time_zero, line.time_us)}
        return json.dumps(place | {key: found[key] for key in sorted(found)}, separators=(",", ":"), ensure_ascii=False)
    found = {"time": rfc3339_nano(time_zero, line.time_us), **common, "module": line.module, **own}
    return json.dumps({**place, **found, "subsys": line.subsys}, separators=(",", ":"), ensure_ascii=False)


def _logrus(line: Line, time_zero: datetime) -> str:
    own = sorted([*line.fields, ("subsys", line.subsys)])
    head = f'time="{rfc3339(time_zero, line.time_us)}" level={_level(line)} msg={_logrus_value(line.message)}'
    return " ".join([head, *(f"{key}={_logrus_value(str(_shown(value, 'logrus')))}" for key, value in own)])


def _logrus_value(value: str) -> str:
    """logrus quotes what is not made of these characters alone (text_formatter.go needsQuoting)."""
    return value if _LOGRUS_PLAIN.fullmatch(value) or not value else json.dumps(value, ensure_ascii=False)


def _slog(line: Line, time_zero: datetime) -> str:
    own = [*line.fields, ("subsys", line.subsys)]
    head = [
        f"time={rfc3339_nano(time_zero, line.time_us)}",
        f"level={_level(line)}",
        f"msg={_slog_value(line.message)}",
    ]
    pairs = (f"{key}={_slog_value(str(_shown(value, 'slog')))}" for key, value in own)
    return " ".join([*head, f"module={line.module}", *pairs])


def _slog_value(value: str) -> str:
    """log/slog quotes blanks, quotes, equals signs and nothing at all (text_handler.go needsQuoting)."""
    plain = value and not re.search(r'[\s="\x00-\x1f]', value)
    return value if plain else json.dumps(value, ensure_ascii=False)


def _level(line: Line) -> str:
    return "warn" if line.level == "warning" and line.library == "slog" else line.level


def _shown(value: Value, library: str) -> str | int:
    """Bytes, of which there are none here: ``fmt.Sprint`` prints a slice, slog's text handler what is in it."""
    if isinstance(value, bytes):
        return "[]" if library == "logrus" else value.decode()
    return value


_FORMS: Mapping[str, Callable[[Line, datetime], str]] = {"logrus": _logrus, "slog": _slog}
