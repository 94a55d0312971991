"""The sessions of one peer of one BGP instance, node by node."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from simbgp.profiles import SpeakerProfile
from simbgp.scenario.advertisements import FAMILIES, Advertisements, Announcements
from simbgp.scenario.cluster_services import ClusterService
from simbgp.scenario.crds import Instance, PeerConfigSpec
from simbgp.scenario.crds import Peer as PeerObject
from simbgp.scenario.errors import Path, Problem, ScenarioError
from simbgp.scenario.gateways import nearest, unknown_gateway
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.limits import MAX_PATHS
from simbgp.scenario.node_configs import NodeConfig, NodeInstance, NodePeer
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.plan import Family, NodePlan, OriginPlan
from simbgp.scenario.route_policies import family_of

_DEFAULT_FAMILIES: tuple[Family, ...] = ("ipv6", "ipv4")
"""CiliumBGPPeerConfigSpec.SetDefaults, in this order (pkg/k8s/apis/cilium.io/v2/bgp_peer_types.go)."""


@dataclass(frozen=True)
class Selected:
    """One session: a node, a router and what the objects say about the two."""

    node: str
    router: str
    config: PeerConfigSpec
    families: tuple[Family, ...]
    instance: str
    peer: str
    local_asn: int
    peer_address: str
    local_address: str | None
    announced: Announcements
    origin: OriginPlan


@dataclass
class Selection:
    """All sessions of the objects, and what Cilium or this reader has against them."""

    sessions: list[Selected] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A peer of an instance, and where it is written."""

    item: Item
    path: Path
    instance: Instance
    peer: PeerObject


class PeerSessions:
    """Makes the sessions of peers, and notes in ``found`` what stands against them."""

    def __init__(
        self,
        objects: Objects,
        layout: Layout,
        services: Sequence[ClusterService],
        release: SpeakerProfile,
        found: Selection,
    ) -> None:
        self._objects, self._layout, self._found = objects, layout, found
        self._advertisements = Advertisements(objects, services, release.merges_service_advertisements)
        self._paths = 0

    def add(self, nodes: Sequence[NodePlan], asked: Asked) -> None:
        """The sessions of these nodes with the peer."""
        reasons = list(_unsupported(asked))
        config = self._config(asked)
        if asked.peer.auto_discovery is not None and not reasons:
            self._discovered(nodes, asked, config)
            return
        router = self._router(asked.peer)
        if router is None and not reasons:
            reasons.append(self._no_router(asked))
        self._found.problems.extend(reasons)
        if router is None or config is None or reasons:
            return
        for node in nodes:
            self._add(asked, node, router, config, asked.peer.peer_address)

    def _router(self, peer: PeerObject) -> Upstream | None:
        """By address in any spelling, else by ASN if one router alone has it."""
        by_address = [router for router in self._layout.routers if peer.peer_address in router.addresses]
        by_asn = [router for router in self._layout.routers if router.settings.asn == peer.peer_asn]
        if by_address:
            return by_address[0]
        return by_asn[0] if len(by_asn) == 1 else None

    def _no_router(self, asked: Asked) -> Problem:
        peer = asked.peer
        what = f"no router of the scenario has the address {peer.peer_address}, nor alone the ASN {peer.peer_asn}"
        names = ", ".join(f"{r.name} {'/'.join(r.addresses)} AS {r.settings.asn}" for r in self._layout.routers)
        return asked.item.problem((*asked.path, "peerAddress"), f"{what}; allowed: {names or 'none'}")

    def _discovered(self, nodes: Sequence[NodePlan], asked: Asked, config: PeerConfigSpec | None) -> None:
        """The sessions with the nodes' default gateways: of each node the router of that ASN that is next to it."""
        gateway = asked.peer.auto_discovery.default_gateway if asked.peer.auto_discovery is not None else None
        family = gateway.address_family if gateway is not None else "ipv4"
        for node in nodes:
            reported = self._reported_address(node, asked)
            able = [
                router
                for router in self._layout.routers
                if node.name in self._layout.served[router.name]
                and asked.peer.peer_asn in (0, router.settings.asn)
                and any(family_of(address) == family for address in router.addresses)
                and reported in (None, *router.addresses)
            ]
            found = nearest(node, family, able)
            if len({router.name for router, _ in found}) != 1:
                what = unknown_gateway(node, family, reported, able)
                self._found.problems.append(asked.item.problem((*asked.path, "autoDiscovery"), what))
            elif config is not None:
                router, address = found[0]
                if reported is None:
                    named = f"the {family} default gateway of {node.name} is taken to be {router.name}, {address}"
                    self._warn(f"peer {asked.peer.name}: {named} (autoDiscovery)")
                self._add(asked, node, router, config, reported or address)

    def _reported_address(self, node: NodePlan, asked: Asked) -> str | None:
        """The address that the node's agent found the peer under."""
        config = self._objects.node_config_of.get(node.name)
        status = config.reported(asked.instance.name, asked.peer.name) if config is not None else None
        return status.peer_address if status is not None else None

    def _config(self, asked: Asked) -> PeerConfigSpec | None:
        item, peer = asked.item, asked.peer
        if peer.peer_config_ref is None:
            self._warn(f"peer {peer.name} has no peerConfigRef: defaults hold, and nothing is announced to it")
            return PeerConfigSpec()
        name = peer.peer_config_ref.name
        config = self._objects.peer_configs.get(name)
        reported = item.body.reported(asked.instance.name, peer.name) if isinstance(item.body, NodeConfig) else None
        if config is None and reported is not None:
            what = "the timers and families are those of the CiliumBGPNodeConfigs' status, without graceful restart"
            self._warn(f"CiliumBGPPeerConfig {name} is missing: {what}, and nothing is announced by it")
            return reported.config()
        if config is None:
            known = ", ".join(self._objects.peer_configs) or "none"
            what = f"Referenced CiliumBGPPeerConfig(s) are missing: [{name}]; in the manifests: {known}"
            self._found.problems.append(item.problem((*asked.path, "peerConfigRef", "name"), what))
            return None
        spec: PeerConfigSpec = config.body.spec
        wrong = list(_wrong_in(config, spec))
        self._found.problems.extend(problem for problem in wrong if problem not in self._found.problems)
        return None if wrong else spec

    def _add(self, asked: Asked, node: NodePlan, router: Upstream, config: PeerConfigSpec, address: str | None) -> None:
        instance, peer = asked.instance, asked.peer
        made = self._advertisements.to(config, peer.name).of(node)
        self._paths += len(made)
        if self._paths > MAX_PATHS:
            what = f"the sessions up to that of {node.name} carry {self._paths} paths; allowed: {MAX_PATHS} in all"
            raise ScenarioError([asked.item.problem(asked.path, what)])
        for what in made.overwritten:
            self._warn(f"peer {peer.name}: several CiliumBGPAdvertisement entries are for {what}")
        own = _of_node(self._objects, node.name, instance, peer)
        if own.local_port is not None:
            said = f"instance {instance.name} listens on port {own.local_port}: a router could dial it, but here the"
            more = "nodes alone dial, so a session may be back sooner than is shown after a fault of router or link"
            self._warn(f"{said} {more}")
        self._found.sessions.append(
            Selected(
                node.name,
                router.name,
                config,
                _families(config),
                instance.name,
                peer.name,
                own.asn or 0,  # 0 was refused
                address or router.addresses[0],
                own.local_address,
                made,
                _origin(asked, own),
            )
        )

    def _warn(self, text: str) -> None:
        self._found.warnings[text] = None


@dataclass(frozen=True, slots=True)
class _OfNode:
    """What an instance and a peer of it are on one node."""

    asn: int | None
    local_port: int | None
    router_id: str | None = None
    local_address: str | None = None


def _of_node(objects: Objects, node: str, instance: Instance, peer: PeerObject) -> _OfNode:
    """As a CiliumBGPNodeConfigOverride has it (operator/pkg/bgp/cluster.go); a NodeConfig holds that already."""
    if isinstance(instance, NodeInstance) and isinstance(peer, NodePeer):
        return _OfNode(instance.local_asn, instance.local_port, instance.router_id, peer.local_address)
    override = objects.overrides.get(node)
    for own in override.spec.bgp_instances if override is not None else ():
        if own.name == instance.name:
            addresses = (entry.local_address for entry in own.peers if entry.name == peer.name)
            port = instance.local_port if own.local_port is None else own.local_port
            return _OfNode(own.local_asn or instance.local_asn, port, own.router_id, next(addresses, None))
    return _OfNode(instance.local_asn, instance.local_port)


def _origin(asked: Asked, own: _OfNode) -> OriginPlan:
    body, reference = asked.item.body, asked.peer.peer_config_ref
    return OriginPlan(
        body.owner or OriginPlan().cluster_config if isinstance(body, NodeConfig) else asked.item.name,
        reference.name if reference is not None else None,
        own.local_address,
        own.router_id,
        own.local_port,
    )


def _unsupported(asked: Asked) -> Iterator[Problem]:
    if asked.instance.local_asn is None:
        what = "localASN is missing; Cilium cannot start the instance without it"
        yield asked.item.problem(asked.path[:3], what)


def _wrong_in(item: Item, spec: PeerConfigSpec) -> Iterator[Problem]:
    for i, family in enumerate(spec.families or ()):
        if family.afi not in FAMILIES or family.safi != "unicast":
            what = f"'{family.afi}/{family.safi}' is not supported yet; supported: ipv4/unicast, ipv6/unicast"
            yield item.problem(("spec", "families", i), what)


def _families(config: PeerConfigSpec) -> tuple[Family, ...]:
    """In the order in which they are written: the speaker keeps and shows them so."""
    written = tuple(afi for family in config.families or () for afi in FAMILIES if afi == family.afi)
    return tuple(dict.fromkeys(written)) or _DEFAULT_FAMILIES
