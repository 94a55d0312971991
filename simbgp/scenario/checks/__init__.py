"""What the schema cannot see: names that nothing bears, timers that contradict each other, faults that never happen."""

from collections.abc import Callable, Iterator

from simbgp.scenario.checks import cluster, fabric, faults, procedures, routers, traffic
from simbgp.scenario.checks.view import View
from simbgp.scenario.errors import Problem

Check = Callable[[View], Iterator[Problem]]
CHECKS: tuple[Check, ...] = (
    *cluster.CHECKS,
    *routers.CHECKS,
    *fabric.CHECKS,
    *traffic.CHECKS,
    *faults.CHECKS,
    *procedures.CHECKS,
)

__all__ = ["CHECKS", "View", "check"]


def check(view: View) -> Iterator[Problem]:
    """All problems that the checks find; each looks only at parts that the schema found sound."""
    for one in CHECKS:
        yield from one(view)
