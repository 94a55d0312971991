"""Which node peers with which router, as the Cilium objects say: ClusterConfig, PeerConfig, Advertisement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from simbgp.scenario.advertisements import FAMILIES, Announced, announced, family_of
from simbgp.scenario.cluster_services import ClusterService
from simbgp.scenario.crds import ClusterConfigSpec, Instance, PeerConfigSpec
from simbgp.scenario.crds import Peer as PeerObject
from simbgp.scenario.disagreements import disagreements
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.manifests import Item, Objects
from simbgp.scenario.node_configs import NodeConfig, NodeInstance, NodePeer
from simbgp.scenario.plan import Family, NodePlan, OriginPlan
from simbgp.scenario.without_effect import without_effect


@dataclass(frozen=True)
class Selected:
    """One session: a node, a router and what the objects say about the two.

    ``prefixes`` are announced at time 0, ``announcements`` has the attributes of all that may be.
    """

    node: str
    router: str
    config: PeerConfigSpec
    families: tuple[Family, ...]
    prefixes: tuple[str, ...]
    instance: str
    peer: str
    local_asn: int
    peer_address: str
    local_address: str | None
    announcements: tuple[Announced, ...]
    origin: OriginPlan


@dataclass
class Selection:
    """All sessions of the objects, and what Cilium or this reader has against them."""

    sessions: list[Selected] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)


def select(objects: Objects, layout: Layout, services: Sequence[ClusterService]) -> Selection:
    """The sessions that the objects ask for; with neither CiliumBGPClusterConfigs nor NodeConfigs there are none."""
    found = Selection()
    found.warnings |= dict.fromkeys(without_effect(objects, layout.nodes))
    owners: dict[str, Item] = {}
    for item in objects.deciding:
        chosen = _chosen(item, layout.nodes, found)
        _conflicts(item, [owners[node.name] for node in chosen if node.name in owners], found)
        owners |= {node.name: item for node in chosen}
        for path, instance, peer in _peers(item):
            _peer(objects, layout, services, found, chosen, item, path, instance, peer)
    found.warnings |= dict.fromkeys(disagreements(objects, layout.nodes, {n: item.name for n, item in owners.items()}))
    served = {session.router for session in found.sessions}
    for router in layout.routers if objects.deciding and not found.problems else ():
        if router.name not in served:
            found.warnings[f"router {router.name} is no peer in the manifests: no node has a session with it"] = None
    order = {node.name: i for i, node in enumerate(layout.nodes)}
    found.sessions.sort(key=lambda session: order[session.node])
    _refuse_twins(objects, found)
    return found


def _chosen(item: Item, nodes: Sequence[NodePlan], found: Selection) -> list[NodePlan]:
    """The nodes of a ClusterConfig, or the one of a NodeConfig, which is that of its name."""
    if isinstance(item.body, NodeConfig):
        chosen = [node for node in nodes if node.name == item.name]
        said = f"CiliumBGPNodeConfig {item.name}: there is no node of that name, so it is left out"
    else:
        chosen = [node for node in nodes if _selects(item.body.spec, node)]
        said = f"CiliumBGPClusterConfig {item.name}: No node matches spec.nodeSelector"
    if not chosen:
        found.warnings[said] = None
    return chosen


def _selects(spec: ClusterConfigSpec, node: NodePlan) -> bool:
    return spec.node_selector is None or spec.node_selector.matches(node.labels)


def _peers(item: Item) -> Iterator[tuple[Path, Instance, PeerObject]]:
    for i, instance in enumerate(item.body.spec.bgp_instances):
        for j, peer in enumerate(instance.peers):
            yield ("spec", "bgpInstances", i, "peers", j), instance, peer


def _peer(
    objects: Objects,
    layout: Layout,
    services: Sequence[ClusterService],
    found: Selection,
    nodes: Sequence[NodePlan],
    item: Item,
    path: Path,
    instance: Instance,
    peer: PeerObject,
) -> None:
    """Adds the sessions of one peer of one instance."""
    reasons = list(_unsupported(item, path, instance))
    config = _config(objects, item, path, instance, peer, found)
    if peer.auto_discovery is not None and not reasons:
        _discovered(objects, layout, services, found, nodes, item, path, instance, peer, config)
        return
    router = _router(layout, peer)
    if router is None and not reasons:
        what = f"no router of the scenario has the address {peer.peer_address}, nor alone the ASN {peer.peer_asn}"
        names = ", ".join(f"{r.name} {'/'.join(r.addresses)} AS {r.settings.asn}" for r in layout.routers)
        reasons.append(item.problem((*path, "peerAddress"), f"{what}; allowed: {names or 'none'}"))
    found.problems.extend(reasons)
    if router is None or config is None or reasons:
        return
    for node in nodes:
        found.sessions.append(_session(objects, router, services, config, item, instance, peer, node))
    _listeners(found)


def _listeners(found: Selection) -> None:
    listening = {session.instance: session.origin.local_port for session in found.sessions if session.origin.local_port}
    for instance, port in listening.items():
        what = f"instance {instance} listens on port {port}: a router could dial it, but here the nodes alone dial, so"
        found.warnings[f"{what} a session may be back sooner than is shown after a fault of the router or the link"] = (
            None
        )


def _discovered(
    objects: Objects,
    layout: Layout,
    services: Sequence[ClusterService],
    found: Selection,
    nodes: Sequence[NodePlan],
    item: Item,
    path: Path,
    instance: Instance,
    peer: PeerObject,
    config: PeerConfigSpec | None,
) -> None:
    """Adds the sessions with the nodes' default gateways: of each node its one router of that ASN and family."""
    gateway = peer.auto_discovery.default_gateway if peer.auto_discovery is not None else None
    family = gateway.address_family if gateway is not None else "ipv4"
    for node in nodes:
        reported = _reported_address(objects, node, instance, peer)
        able = [
            router
            for router in layout.routers
            if node.name in router.nodes
            and peer.peer_asn in (0, router.settings.asn)
            and any(family_of(address) == family for address in router.addresses)
            and reported in (None, *router.addresses)
        ]
        if len(able) != 1:
            names = ", ".join(router.name for router in able) or "none"
            what = f"the {family} default gateway of {node.name} is not known: routers that may be it: {names}"
            if reported is not None:
                what = f"the {family} default gateway of {node.name} is {reported} by the status of its NodeConfig"
            more = "allowed: one router of the peer's ASN, with an address of the family, for each node (routers.nodes)"
            found.problems.append(item.problem((*path, "autoDiscovery"), f"{what}; {more}"))
        elif config is not None:
            address = reported or next(a for a in able[0].addresses if family_of(a) == family)
            if reported is None:
                named = f"the {family} default gateway of {node.name} is taken to be {able[0].name}, {address}"
                found.warnings[f"peer {peer.name}: {named} (autoDiscovery)"] = None
            own = peer.model_copy(update={"peer_address": address})
            found.sessions.append(_session(objects, able[0], services, config, item, instance, own, node))


def _reported_address(objects: Objects, node: NodePlan, instance: Instance, peer: PeerObject) -> str | None:
    """The address that the node's agent found the peer under."""
    configs = (config.body for config in objects.node_configs if config.name == node.name)
    statuses = (config.reported(instance.name, peer.name) for config in configs)
    return next((status.peer_address for status in statuses if status is not None), None)


def _session(
    objects: Objects,
    router: Upstream,
    services: Sequence[ClusterService],
    config: PeerConfigSpec,
    item: Item,
    instance: Instance,
    peer: PeerObject,
    node: NodePlan,
) -> Selected:
    made = announced(objects, config, peer.name, node, services)
    own = _of_node(objects, node.name, instance, peer)
    origin = OriginPlan(
        item.body.owner or OriginPlan().cluster_config if isinstance(item.body, NodeConfig) else item.name,
        peer.peer_config_ref.name if peer.peer_config_ref is not None else None,
        own.local_address,
        own.router_id,
        own.local_port,
    )
    return Selected(
        node.name,
        router.name,
        config,
        _families(config),
        tuple(dict.fromkeys(entry.plan.prefix for entry in made if entry.at_start)),
        instance.name,
        peer.name,
        own.asn or 0,  # 0 was refused
        peer.peer_address or router.addresses[0],
        own.local_address,
        made,
        origin,
    )


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


def _unsupported(item: Item, path: Path, instance: Instance) -> Iterator[Problem]:
    if instance.local_asn is None:
        yield item.problem(path[:3], "localASN is missing; Cilium cannot start the instance without it")


def _config(
    objects: Objects, item: Item, path: Path, instance: Instance, peer: PeerObject, found: Selection
) -> PeerConfigSpec | None:
    if peer.peer_config_ref is None:
        found.warnings[f"peer {peer.name} has no peerConfigRef: defaults hold, and nothing is announced to it"] = None
        return PeerConfigSpec()
    name = peer.peer_config_ref.name
    config = objects.peer_configs.get(name)
    reported = item.body.reported(instance.name, peer.name) if isinstance(item.body, NodeConfig) else None
    if config is None and reported is not None:
        what = "the timers and families are those of the CiliumBGPNodeConfigs' status, without graceful restart"
        found.warnings[f"CiliumBGPPeerConfig {name} is missing: {what}, and nothing is announced by it"] = None
        return reported.config()
    if config is None:
        known = ", ".join(objects.peer_configs) or "none"
        what = f"Referenced CiliumBGPPeerConfig(s) are missing: [{name}]; in the manifests: {known}"
        found.problems.append(item.problem((*path, "peerConfigRef", "name"), what))
        return None
    spec: PeerConfigSpec = config.body.spec
    wrong = list(_wrong_in(config, spec))
    found.problems.extend(problem for problem in wrong if problem not in found.problems)
    return None if wrong else spec


def _wrong_in(item: Item, spec: PeerConfigSpec) -> Iterator[Problem]:
    for i, family in enumerate(spec.families or ()):
        if family.afi not in FAMILIES or family.safi != "unicast":
            what = f"'{family.afi}/{family.safi}' is not supported yet; supported: ipv4/unicast, ipv6/unicast"
            yield item.problem(("spec", "families", i), what)


def _router(layout: Layout, peer: PeerObject) -> Upstream | None:
    """By address in any spelling, else by ASN if one router alone has it."""
    by_address = [router for router in layout.routers if peer.peer_address in router.addresses]
    by_asn = [router for router in layout.routers if router.settings.asn == peer.peer_asn]
    if by_address:
        return by_address[0]
    return by_asn[0] if len(by_asn) == 1 else None


def _families(config: PeerConfigSpec) -> tuple[Family, ...]:
    if config.families is None:
        return FAMILIES
    written = {family.afi for family in config.families}
    return tuple(family for family in FAMILIES if family in written)


def _conflicts(item: Item, others: Sequence[Item], found: Selection) -> None:
    names = sorted({other.name for other in others})
    if names:
        what = f"Selecting the same node(s) with ClusterConfig(s): [{' '.join(names)}]"
        found.problems.append(item.problem(("spec", "nodeSelector"), what))


def _refuse_twins(objects: Objects, found: Selection) -> None:
    seen: set[tuple[str, str]] = set()
    for session in found.sessions:
        pair = (session.node, session.router)
        if pair in seen and not found.problems:
            what = f"'two sessions between {pair[0]} and {pair[1]}' is not supported yet; supported: one of each pair"
            found.problems.append(objects.deciding[0].problem(("spec", "bgpInstances"), what))
        seen.add(pair)
