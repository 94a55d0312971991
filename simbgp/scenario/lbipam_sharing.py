"""Who may have one address of LB-IPAM together.

Source: cilium ``operator/pkg/lbipam/service_store.go`` (``isCompatible``), ``sharing.go``.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from simbgp.scenario.k8s import ServiceObject
from simbgp.scenario.lbipam_requests import across, sharing_key


@dataclass(frozen=True, slots=True)
class Sharer:
    """What decides with whom a Service may share: under ``key``, empty for none; ``lets`` are namespaces it lets in."""

    name: str
    key: str
    namespace: str
    lets: frozenset[str]
    ports: frozenset[tuple[int, str]]
    policy: str
    pods: frozenset[tuple[str, str]]

    def incompatible(self, other: "Sharer") -> str | None:
        """Why the two cannot have one address, in LB-IPAM's words; None: they can."""
        if self.key != other.key:
            return "different sharing key"
        if self._is_stranger_to(other):
            return "different and not permitted namespace"
        if self.ports & other.ports:
            return "same port"
        if self.policy != other.policy:
            return "different ExternalTrafficPolicy"
        if self.policy == "Local" and not (self.pods and self.pods == other.pods):
            return "compatible ExternalTrafficPolicy local but selecting different set of pods"
        return None

    def _is_stranger_to(self, other: "Sharer") -> bool:
        """Whether they are of two namespaces that do not both let the other in."""
        mutual = self.lets & {"*", other.namespace} and other.lets & {"*", self.namespace}
        return self.namespace != other.namespace and not mutual

    @property
    def kin(self) -> tuple[object, ...]:
        """Services that are equal in this differ at most in their ports, as far as sharing goes."""
        return self.key, self.namespace, self.policy, self.pods


def sharer(name: str, service: ServiceObject, abilities: Collection[str]) -> Sharer:
    """What is read of a Service by a release of these abilities."""
    apart = "tells-protocols-apart" in abilities
    spec = service.spec
    return Sharer(
        name,
        sharing_key(service),
        name.rpartition("/")[0],
        across(service) if "shares-across-namespaces" in abilities else frozenset(),
        frozenset((port.port, port.protocol if apart else "") for port in spec.ports),
        spec.external_traffic_policy,
        frozenset((spec.selector or {}).items()),
    )


@dataclass
class Owners:
    """The Services that have an address, none where it is reserved."""

    sharers: list[Sharer] = field(default_factory=list)
    _ports: set[tuple[int, str]] = field(default_factory=set)
    _kin: set[tuple[object, ...]] = field(default_factory=set)

    def add(self, sharer: Sharer) -> None:
        """One more has it."""
        self.sharers.append(sharer)
        self._ports |= sharer.ports
        self._kin.add(sharer.kin)

    def refusal(self, other: Sharer) -> str | None:
        """Why the address cannot be another's too, by the first owner who forbids it; None: it can."""
        free = self._ports.isdisjoint(other.ports)
        if free and self._kin == {other.kin} and (other.policy != "Local" or other.pods):
            return None
        reasons = (owner.incompatible(other) for owner in self.sharers if owner.name != other.name)
        return next((reason for reason in reasons if reason is not None), None)

    def admits(self, newcomer: Sharer) -> bool:
        """Whether one that does not have it may have it too; most that may not want a port that somebody has."""
        return self._ports.isdisjoint(newcomer.ports) and self.refusal(newcomer) is None
