"""What is not known of a profile and has few answers: a switch, to be played every way."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alternative:
    """One answer: the value, as a profile file writes it, of each field that hangs on it."""

    label: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Switch:
    """A question that a profile leaves open; until it is answered the first of ``alternatives`` is taken.

    ``ask`` says how to find out on the router or the node itself. ``faults`` are the only kinds of fault that show the
    difference (empty: any may), with ``needs_restart`` only nodes with graceful restart on do, with
    ``needs_long_lived`` only those that offer RFC 9494 too, and with ``resilient`` only routers whose next-hop groups
    are.
    """

    name: str
    alternatives: tuple[Alternative, ...]
    ask: str
    source: str
    faults: tuple[str, ...] = ()
    needs_restart: bool = False
    needs_long_lived: bool = False
    resilient: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the profile that hang on it, dotted like ``keeps_stale.cease``."""
        return frozenset(self.alternatives[0].values)
