"""Rolling out another release of the agent over all nodes: a change of its DaemonSet's template."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from simbgp.scenario.plan import Occurrence

if TYPE_CHECKING:
    from simbgp.model.world import World


def begin(world: "World", fault: Occurrence, _: str, holder: Hashable) -> None:
    """Start the rollout; one that is still going on ends where it stands."""
    world.agents.roll_out(fault.fault, fault.options)
