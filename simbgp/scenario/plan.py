"""The plan: a scenario expanded to named things with every default filled in, and one draw of it, the trial.

The model and the traffic read plans and trials only; they never see the YAML. Everybody has the parts from here.
"""

from dataclasses import dataclass, field
from typing import Literal

from simbgp.profiles.law import Law
from simbgp.profiles.speaker import SpeakerProfile
from simbgp.scenario.plan_faults import FaultPlan, Incidents, MixPlan, Occurrence, ProcessPlan
from simbgp.scenario.plan_network import (
    AnnouncementPlan,
    BfdPlan,
    EcmpPlan,
    Family,
    GracefulRestartPlan,
    NodePlan,
    OriginPlan,
    PeeringPlan,
    RouterPlan,
    SpinePlan,
    ecmp_plan,
)
from simbgp.scenario.plan_services import BackendPlan, LoadBalancerPlan, ServicePlan, TrafficPlan
from simbgp.scenario.tape import Tape

__all__ = [
    "AnnouncementPlan",
    "BackendPlan",
    "BfdPlan",
    "EcmpPlan",
    "Family",
    "FaultPlan",
    "GracefulRestartPlan",
    "Incidents",
    "LoadBalancerPlan",
    "MixPlan",
    "NodePlan",
    "Occurrence",
    "OperatorPlan",
    "OriginPlan",
    "PeeringPlan",
    "Plan",
    "ProcessPlan",
    "RouterPlan",
    "ServicePlan",
    "SloPlan",
    "SpinePlan",
    "TrafficPlan",
    "Trial",
    "ecmp_plan",
]


@dataclass(frozen=True, slots=True)
class OperatorPlan:
    """The Deployment of the operator and its leader election (client-go's, with Cilium's flags)."""

    replicas: int = 2
    lease_s: float = 15.0
    """``leader-election-lease-duration``: a candidate takes the lease when it saw no renewal for so long."""
    retry_s: float = 2.0
    """``leader-election-retry-period``: between renewals; candidates look after 1 to 2.2 times as long."""


@dataclass(frozen=True, slots=True)
class SloPlan:
    """One bound: ``stat`` of ``metric`` over the runs must be at most ``max_value`` (or at least ``min_value``)."""

    metric: str
    stat: str
    max_value: float | None
    min_value: float | None
    service: str | None = None
    router: str | None = None
    fault: str | int | None = None
    prefix: str | None = None
    min_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs, the same for all runs of a scenario."""

    name: str
    horizon_us: int
    cold_start: bool
    up_for_us: int
    speaker: SpeakerProfile
    nodes: tuple[NodePlan, ...]
    routers: tuple[RouterPlan, ...]
    peerings: tuple[PeeringPlan, ...]
    services: tuple[ServicePlan, ...]
    load_balancer: LoadBalancerPlan
    traffic: tuple[TrafficPlan, ...]
    faults: tuple[FaultPlan, ...]
    slo: tuple[SloPlan, ...]
    node_startup: Law
    agent_startup: Law
    node_monitor_grace: Law
    endpoint_propagation: Law
    eviction_timeout: Law = field(default_factory=lambda: Law.constant(300.0))
    pod_startup: Law = field(default_factory=lambda: Law("uniform", (2.0, 10.0)))
    operator: OperatorPlan = field(default_factory=OperatorPlan)
    ipam: Literal["cluster-pool", "kubernetes"] = "cluster-pool"
    """Who gives a new node its PodCIDR: the operator, or the kube-controller-manager."""
    routable_without_endpoints: bool = True
    """Cilium's flag enable-no-service-endpoints-routable."""
    status_report: bool = True
    """Whether agents report the status of their CiliumBGPNodeConfigs."""
    counts_patches: bool = False
    """Whether a result has a table of their patches."""
    fabric: tuple[SpinePlan, ...] = ()
    """The second tier; without one clients enter at the routers."""
    background: tuple[ProcessPlan, ...] = ()
    """What strikes by chance between time 0 and the horizon."""
    mix: MixPlan = field(default_factory=MixPlan)
    """What strikes in a year; no run plays it."""
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def sessions(self) -> dict[str, list[PeeringPlan]]:
        """The sessions of each router that has any, by its name; made anew each time."""
        found: dict[str, list[PeeringPlan]] = {}
        for peering in self.peerings:
            found.setdefault(peering.router, []).append(peering)
        return found

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of faults that a run may meet."""
        return frozenset(fault.kind for fault in (*self.faults, *(process.fault for process in self.background)))

    @property
    def fault_names(self) -> tuple[str | int, ...]:
        """The faults, and after them what strikes by chance."""
        return tuple(fault.name for fault in (*self.faults, *(process.fault for process in self.background)))

    @property
    def forwarders(self) -> tuple[RouterPlan | SpinePlan, ...]:
        """All that have next-hop groups: the spines, then the routers."""
        return *self.fabric, *self.routers


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw of a plan: its faults in time order and the tape for all that the run itself draws."""

    plan: Plan
    run: int
    tape: Tape
    occurrences: tuple[Occurrence, ...]
