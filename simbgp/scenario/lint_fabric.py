"""What of two tiers is allowed and seldom meant."""

from collections.abc import Iterator

from simbgp.scenario.errors import Path
from simbgp.scenario.findings import Finding
from simbgp.scenario.plan import Plan

_HIGH_BITS, _LOW_BITS = frozenset({"hash-threshold"}), frozenset({"modulo", "resilient"})


def _of_spine(place: int, text: str, *keys: Path) -> Finding:
    """About a spine's settings, at the first of ``keys`` that is written."""
    return Finding(text, (*(("fabric", place, *key) for key in keys), ("fabric", place)))


def polarised_tiers(plan: Plan) -> Iterator[Finding]:
    """Two hops that read the same bits of the same hash: a router sees only the flows that got to it."""
    routers = {router.name: router for router in plan.routers}
    for place, spine in enumerate(plan.fabric):
        same = [
            name
            for name in spine.over
            if routers[name].hash_seed == spine.hash_seed
            and any({spine.ecmp.hash, routers[name].ecmp.hash} <= bits for bits in (_HIGH_BITS, _LOW_BITS))
        ]
        if len(spine.over) > 1 and same:
            yield _of_spine(
                place,
                f"hashSeed {spine.hash_seed} of {spine.name} is also that of {', '.join(same)}, so each of these sees "
                "only a part of the hashes and uses only some of its nodes (polarisation); give the tiers different "
                "seeds",
                ("hashSeed",),
            )


def more_than_a_spine_uses(plan: Plan) -> Iterator[Finding]:
    """A spine, too, installs at most ``maximum-paths`` next hops: routers beyond that stand by."""
    for place, spine in enumerate(plan.fabric):
        most = spine.ecmp.maximum_paths
        if most is not None and len(spine.over) > most:
            yield _of_spine(
                place,
                f"{spine.name} is over {len(spine.over)} routers, and maximumPaths {most} of them get its traffic; "
                "raise maximumPaths, or have it over fewer",
                ("ecmp", "maximumPaths"),
            )


def per_packet_spines(plan: Plan) -> Iterator[Finding]:
    """RFC 2991 §2, one tier up: the packets of a connection arrive at routers whose groups differ."""
    for place, spine in enumerate(plan.fabric):
        if spine.ecmp.hash == "per-packet":
            yield _of_spine(
                place,
                f"{spine.name} sends the packets of one connection over all routers: they are reordered, and wherever "
                "routers give the flow to different nodes the connection is reset by the second; have it hash flows "
                "(5-tuple)",
                ("ecmp", "hash"),
            )


RULES = (polarised_tiers, more_than_a_spine_uses, per_packet_spines)
