"""What was asked of ``simbgp show``, apart from where it is to come from."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from simbgp.report.cilium.ask import Tool

What = Literal["peers", "routes", "route-policies", "status", "metrics"]
Output = Literal["json", "yaml", "describe"]
TIME_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of day of the simulated time 0 where none is given."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One table; ``tool`` and ``output`` None are the usual ones of ``what``."""

    what: str
    arguments: tuple[str, ...] = ()
    tool: Tool | None = None
    node: str | None = None
    output: Output | None = None
    match_families: bool = False
    time_zero: datetime = TIME_ZERO

    @property
    def json(self) -> bool:
        """Whether the objects are wanted instead of a table."""
        return self.output == "json"

    def check(self) -> None:
        """Raise ValueError for what does not go together."""
        if self.output in ("yaml", "describe") and self.what != "status":
            raise ValueError(f"-o {self.output} is for status; allowed for {self.what}: json")
        if self.what in ("status", "logs") and self.tool is not None:
            raise ValueError(f"--as {self.tool}: {self.what} is what kubectl prints; leave --as out")
        if self.what == "metrics" and self.tool not in (None, "cilium-dbg"):
            raise ValueError(f"--as {self.tool}: allowed for metrics: cilium-dbg, or none for what /metrics gives")


def read_time(text: str) -> datetime:
    """A moment by RFC 3339, such as 2026-01-01T00:00:00Z. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"--time-zero {text!r}: allowed: a time with its zone, such as 2026-01-01T00:00:00Z")
    return found.astimezone(UTC).replace(microsecond=0)
