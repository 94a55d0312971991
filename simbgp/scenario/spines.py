"""The routers of the second tier as a plan has them, and what is taken for granted of them."""

from collections.abc import Iterator
from typing import Any

from simbgp.profiles import Law
from simbgp.scenario.plan import EcmpPlan, SpinePlan
from simbgp.scenario.schema.routers import Ecmp, FabricRouter

_CONVERGENCE = Law.constant(0.05)


def spine_plan(written: FabricRouter) -> SpinePlan:
    """A spine has no profile: unless something else is written it hashes as Linux does, and edits groups in place."""
    settings = {
        "buckets": written.ecmp.buckets,
        "idle_s": written.ecmp.idle_timer,
        "unbalanced_s": written.ecmp.unbalanced_timer,
        "on_change": written.ecmp.on_change,
        "maximum_paths": written.ecmp.maximum_paths,
        "addition": written.ecmp.addition,
        "order": written.ecmp.order,
    }
    changes: dict[str, Any] = {key: value for key, value in settings.items() if value is not None}
    ecmp = EcmpPlan(hash=written.ecmp.hash or "hash-threshold", **changes)
    return SpinePlan(written.name, written.over, ecmp, written.hash_seed, written.convergence or _CONVERGENCE)


def spine_assumptions(written: FabricRouter) -> Iterator[str]:
    """What a result names because nothing in the scenario says it."""
    if written.convergence is None:
        yield f"{written.name} follows the routers below it within {_CONVERGENCE} (no fabric convergence is written)"
    yield from idle_timers(written.name, spine_plan(written).ecmp, written.ecmp)


def idle_timers(name: str, ecmp: EcmpPlan, written: Ecmp) -> Iterator[str]:
    """Timers that are written for a table that has none."""
    timers = written.idle_timer, written.unbalanced_timer
    if ecmp.hash == "resilient" and ecmp.addition != "idle" and timers != (None, None):
        yield f"{name} has a table without timers: ecmp.idleTimer and unbalancedTimer change nothing"
