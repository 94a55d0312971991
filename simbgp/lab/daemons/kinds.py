"""Which daemon plays a router's profile, what it comes with, and which release is installed."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simbgp.lab.daemons.base import Router, Site
from simbgp.lab.daemons.bird import Bird
from simbgp.lab.daemons.frr import HOME as FRR
from simbgp.lab.daemons.frr import Frr
from simbgp.lab.daemons.gobgp_router import GoBgp
from simbgp.lab.daemons.openbgpd import OpenBgpd
from simbgp.lab.shell import tried


@dataclass(frozen=True, slots=True)
class Daemon:
    """A make of router: Debian's package, the program to look for, and how to ask for its release."""

    package: str
    program: str
    version: tuple[str, ...]
    make: Callable[[Site], Router]

    @property
    def installed(self) -> bool:
        """Whether its program is there."""
        return shutil.which(self.program) is not None

    def release(self) -> str:
        """Its release, such as 8.4.4; ``unknown`` if it does not say."""
        found = re.search(r"\d+\.\d+(\.\d+)?", tried(self.version) or "")
        return found[0] if found else "unknown"


_FRR = str(Path(FRR) / "bgpd")
DAEMONS: dict[str, Daemon] = {
    "frr": Daemon("frr", _FRR, (_FRR, "--version"), Frr),
    "bird": Daemon("bird2", "bird", ("bird", "--version"), Bird),
    "gobgp": Daemon("gobgpd", "gobgpd", ("gobgpd", "--version"), GoBgp),
    "openbgpd": Daemon("openbgpd", "bgpctl", ("/usr/sbin/bgpd", "-V"), OpenBgpd),
}
"""By the first word of a profile's name."""


def daemon_of(profile: str) -> Daemon | None:
    """The daemon that plays a profile; None if the lab has none."""
    return DAEMONS.get(profile.partition("-")[0])
