"""Route policies: what one entry of an advertisement makes, and what several entries for the same thing make.

Source: cilium ``pkg/bgp/manager/reconciler/policies.go``; cilium/cilium#35721, #36414 (entries for the same Service).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from simbgp.scenario.crd_advertisements import Advertised
from simbgp.scenario.plan import AnnouncementPlan, Family


def family_of(prefix: str) -> Family:
    """The address family of a prefix."""
    return "ipv6" if ":" in prefix else "ipv4"


def pod_policy(peer: str, family: Family) -> str:
    """The name of the route policy of PodCIDRs."""
    return f"{peer}-{family}-PodCIDR"


def service_policy(peer: str, family: Family, service: str, addresses: str) -> str:
    """The name of a service's route policy; a service without a namespace is taken to be in ``default``."""
    namespace, _, name = service.rpartition("/")
    return f"{peer}-{family}-Service-{name}-{namespace or 'default'}-{addresses}"


def pool_policy(peer: str, family: Family, pool: str) -> str:
    """The name of the route policy of a CiliumPodIPPool."""
    return f"{peer}-{family}-CiliumPodIPPool-{pool}"


@dataclass(frozen=True, slots=True)
class Announced:
    """One prefix that a node announces; ``service`` and ``kind`` of address are None for one of pods."""

    plan: AnnouncementPlan
    at_start: bool = True
    service: str | None = None
    kind: str | None = None


class RoutePolicies:
    """What the entries of advertisements make together, entry by entry.

    Where several are for the same thing, they make one route policy: with ``merges`` it has the communities of all and
    the highest local preference; otherwise it is the last entry's, and what others alone had is not announced.
    """

    def __init__(self, merges: bool) -> None:
        self._merges = merges
        self._found: dict[tuple[str, str], Announced] = {}
        """By policy and prefix."""
        self._overwritten: dict[str, None] = {}

    @property
    def announced(self) -> tuple[Announced, ...]:
        """All prefixes, with their attributes."""
        return tuple(self._found.values())

    @property
    def overwritten(self) -> tuple[str, ...]:
        """Of what there were several entries, and which counts."""
        return tuple(self._overwritten)

    def add(self, entry: Advertised, prefixes: Iterable[Announced]) -> None:
        """What an entry makes of some prefixes."""
        made: dict[tuple[str, str], Announced] = {}
        for one in prefixes:
            made.setdefault((one.plan.policy, one.plan.prefix), replace(one, plan=with_attributes(one.plan, entry)))
        if not self._merges:
            self._overwritten |= dict.fromkeys(self._overwrite(made, entry))
        for key, one in made.items():
            earlier = self._found.get(key)
            self._found[key] = one if earlier is None else replace(earlier, plan=merged(earlier.plan, one.plan))

    def _overwrite(self, made: dict[tuple[str, str], Announced], entry: Advertised) -> Iterator[str]:
        """Takes out what the policies of ``made`` had before; where that changes something, says so."""
        policies = {policy for policy, _ in made}
        before = {key: one.plan for key, one in self._found.items() if key[0] in policies}
        for key in before:
            del self._found[key]
        if before and before != {key: one.plan for key, one in made.items()}:
            if entry.advertisement_type == "Service":
                service = next(one.service for one in made.values())
                yield f"Service {service}: up to 1.17 the last one's addresses and attributes alone count"
            else:
                yield f"the {entry.advertisement_type}s of a node: the last one's attributes alone count"


def with_attributes(plan: AnnouncementPlan, entry: Advertised) -> AnnouncementPlan:
    """The announcement with the path attributes that an entry sets."""
    written = entry.attributes
    standard = (*written.communities.standard, *written.communities.well_known)
    large = tuple(dict.fromkeys(written.communities.large))
    return AnnouncementPlan(plan.prefix, plan.policy, tuple(dict.fromkeys(standard)), large, written.local_preference)


def merged(one: AnnouncementPlan, two: AnnouncementPlan) -> AnnouncementPlan:
    """Both together: communities of both, sorted; the higher local preference."""
    preferences = [p for p in (one.local_preference, two.local_preference) if p is not None]
    return AnnouncementPlan(
        one.prefix,
        one.policy,
        tuple(sorted({*one.communities, *two.communities})),
        tuple(sorted({*one.large_communities, *two.large_communities})),
        max(preferences, default=None),
    )
