"""One run of the control plane."""

from simbgp.model.faults import schedule
from simbgp.model.world import World
from simbgp.scenario.plan import Trial
from simbgp.timeline import Timeline


def simulate(trial: Trial) -> Timeline:
    """Play the trial's faults and return what happened, in time order, up to the horizon.

    Raises BrokenInvariantError if the run ends in a state that must not be.
    """
    world = World(trial)
    if trial.plan.cold_start:
        for node in trial.plan.nodes:
            world.node(node.name).cold_start()
    for place, occurrence in enumerate(trial.occurrences):
        schedule(world, place, occurrence)
    world.clock.run(until_us=trial.plan.horizon_us)
    for session in world.touched_sessions():
        session.router.rib.check(session.router.state == "established")
    for router in world.touched_routers():
        router.fib.check()
    return world.timeline
