"""Which node peers with which router, as the Cilium objects say: ClusterConfig, PeerConfig, Advertisement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from simbgp.scenario.advertisements import FAMILIES, Announced, announced
from simbgp.scenario.cluster_services import ClusterService
from simbgp.scenario.crds import ClusterConfigSpec, Instance, PeerConfigSpec
from simbgp.scenario.crds import Peer as PeerObject
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.layout import Layout, Upstream
from simbgp.scenario.manifests import Item, Objects
from simbgp.scenario.plan import Family, NodePlan, OriginPlan


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
    """The sessions that the objects ask for; without a CiliumBGPClusterConfig there are none."""
    found = Selection()
    _warn_of_others(objects, found)
    owners: dict[str, Item] = {}
    for item in objects.configs:
        chosen = [node for node in layout.nodes if _selects(item.body.spec, node)]
        if not chosen:
            found.warnings[f"CiliumBGPClusterConfig {item.name}: No node matches spec.nodeSelector"] = None
        _conflicts(item, [owners[node.name] for node in chosen if node.name in owners], found)
        owners |= {node.name: item for node in chosen}
        for path, instance, peer in _peers(item):
            _peer(objects, layout, services, found, chosen, item, path, instance, peer)
    served = {session.router for session in found.sessions}
    for router in layout.routers if objects.configs and not found.problems else ():
        if router.name not in served:
            found.warnings[f"router {router.name} is no peer in the manifests: no node has a session with it"] = None
    order = {node.name: i for i, node in enumerate(layout.nodes)}
    found.sessions.sort(key=lambda session: order[session.node])
    _refuse_twins(objects, found)
    return found


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
    reasons = list(_unsupported(item, path, instance, peer))
    config = _config(objects, item, path, peer, found)
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
    asn, address = _overridden(objects, node.name, instance, peer)
    return Selected(
        node.name,
        router.name,
        config,
        _families(config),
        tuple(dict.fromkeys(entry.plan.prefix for entry in made if entry.at_start)),
        instance.name,
        peer.name,
        asn or instance.local_asn or 0,  # 0 was refused
        peer.peer_address or router.addresses[0],
        address,
        made,
        OriginPlan(item.name, peer.peer_config_ref.name if peer.peer_config_ref is not None else None, address),
    )


def _overridden(objects: Objects, node: str, instance: Instance, peer: PeerObject) -> tuple[int | None, str | None]:
    """ASN and local address that a CiliumBGPNodeConfigOverride gives (operator/pkg/bgp/cluster.go)."""
    override = objects.overrides.get(node)
    for own in override.spec.bgp_instances if override is not None else ():
        if own.name == instance.name:
            addresses = (entry.local_address for entry in own.peers if entry.name == peer.name)
            return own.local_asn, next(addresses, None)
    return None, None


def _unsupported(item: Item, path: Path, instance: Instance, peer: PeerObject) -> Iterator[Problem]:
    if instance.local_asn is None:
        yield item.problem(path[:3], "localASN is missing; Cilium cannot start the instance without it")
    if instance.local_port is not None:
        what = "'localPort' is not supported yet; supported: speakers that dial and do not listen"
        yield item.problem((*path[:3], "localPort"), what)
    if peer.auto_discovery is not None or peer.peer_address is None:
        where = (*path, "autoDiscovery") if peer.auto_discovery is not None else path
        yield item.problem(where, "'autoDiscovery' is not supported yet; supported: peerAddress")


def _config(objects: Objects, item: Item, path: Path, peer: PeerObject, found: Selection) -> PeerConfigSpec | None:
    if peer.peer_config_ref is None:
        found.warnings[f"peer {peer.name} has no peerConfigRef: defaults hold, and nothing is announced to it"] = None
        return PeerConfigSpec()
    name = peer.peer_config_ref.name
    config = objects.peer_configs.get(name)
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
    hold = spec.timers.hold_time_seconds or 90
    if (spec.timers.keep_alive_time_seconds or 30) > hold:
        what = f"keepAliveTimeSeconds can not be larger than holdTimeSeconds ({hold}); it is 30 if it is not given"
        yield item.problem(("spec", "timers"), what)
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
            found.problems.append(objects.configs[0].problem(("spec", "bgpInstances"), what))
        seen.add(pair)


def _warn_of_others(objects: Objects, found: Selection) -> None:
    for item in objects.advertisements:
        others = {entry.advertisement_type for entry in item.body.spec.advertisements} - {"PodCIDR", "Service"}
        if others:
            named = ", ".join(sorted(others))
            what = f"CiliumBGPAdvertisement {item.name}: {named} entries announce nothing that is read yet"
            found.warnings[what] = None
