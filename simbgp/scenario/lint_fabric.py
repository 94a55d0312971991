"""What of two tiers is allowed and seldom meant."""

from collections.abc import Iterator

from simbgp.scenario.plan import Plan

_HIGH_BITS, _LOW_BITS = frozenset({"hash-threshold"}), frozenset({"modulo", "resilient"})


def polarised_tiers(plan: Plan) -> Iterator[str]:
    """Two hops that read the same bits of the same hash: a router sees only the flows that got to it."""
    routers = {router.name: router for router in plan.routers}
    for spine in plan.fabric:
        same = [
            name
            for name in spine.over
            if routers[name].hash_seed == spine.hash_seed
            and any({spine.ecmp.hash, routers[name].ecmp.hash} <= bits for bits in (_HIGH_BITS, _LOW_BITS))
        ]
        if len(spine.over) > 1 and same:
            yield (
                f"fabric {spine.name}: hashSeed {spine.hash_seed} is also that of {', '.join(same)}, so each of these "
                "sees only a part of the hashes and uses only some of its nodes (polarisation); give the tiers "
                "different seeds"
            )


RULES = (polarised_tiers,)
