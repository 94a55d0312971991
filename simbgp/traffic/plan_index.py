"""A plan's parts as traffic looks them up; the same for all runs of it."""

from dataclasses import dataclass
from functools import cached_property

from simbgp.scenario.per_plan import PerPlan
from simbgp.scenario.plan import EcmpPlan, NodePlan, Plan


@dataclass(frozen=True)
class PlanIndex:
    """What is where and behind what; nobody changes it."""

    plan: Plan

    @cached_property
    def nodes(self) -> dict[str, NodePlan]:
        """Nodes by name."""
        return {node.name: node for node in self.plan.nodes}

    @cached_property
    def ecmp(self) -> dict[str, EcmpPlan]:
        """How each router and each spine deals flows."""
        return {router.name: router.ecmp for router in self.plan.forwarders}

    @cached_property
    def hash_seeds(self) -> dict[str, int]:
        """The seed of each router's and each spine's hash."""
        return {router.name: router.hash_seed for router in self.plan.forwarders}

    @cached_property
    def weights(self) -> dict[str, int]:
        """The weight of each next hop: of a node, or of a router below a spine."""
        return {node.name: node.ecmp_weight for node in self.plan.nodes} | {r.name: 1 for r in self.plan.routers}

    @cached_property
    def spines(self) -> dict[str, tuple[str, ...]]:
        """The routers below each spine."""
        return {spine.name: spine.over for spine in self.plan.fabric}

    @cached_property
    def above(self) -> dict[str, tuple[str, ...]]:
        """The spines above each router."""
        return {r.name: tuple(s.name for s in self.plan.fabric if r.name in s.over) for r in self.plan.routers}

    @cached_property
    def linked(self) -> dict[str, dict[str, None]]:
        """The routers that each node has a session with, in the order of its sessions."""
        found: dict[str, dict[str, None]] = {}
        for peering in self.plan.peerings:
            found.setdefault(peering.node, {})[peering.router] = None
        return found

    @cached_property
    def entries_of_added(self) -> dict[str, dict[tuple[str, str], None]]:
        """Router and prefix wherever a service that is created later is to be announced."""
        services = self.plan.services
        owners = {prefix: service.name for service in services if service.added for prefix in service.prefixes}
        found: dict[str, dict[tuple[str, str], None]] = {name: {} for name in owners.values()}
        for peering in self.plan.peerings if owners else ():
            for entry in peering.announcements:
                if entry.prefix in owners:
                    found[owners[entry.prefix]][peering.router, entry.prefix] = None
        return found


index_of = PerPlan(PlanIndex)
