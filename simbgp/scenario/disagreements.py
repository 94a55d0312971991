"""Where CiliumBGPNodeConfigs of a dump say something else than the objects that they were made from, or than a run.

The operator writes a NodeConfig from a ClusterConfig and the node's override (cilium ``operator/pkg/bgp/cluster.go``,
toNodeBGPInstance), so a difference means that the dump is of another moment, or that the operator had not yet come to
it. A run plays the ClusterConfig.
"""

from collections.abc import Iterator, Mapping, Sequence

from simbgp.scenario.crds import Instance, InstanceOverride, Peer
from simbgp.scenario.node_configs import ESTABLISHED, NodeConfig, NodeInstance, NodePeer
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.plan import NodePlan, PeeringPlan, RouterPlan

Difference = tuple[str, str]
"""A node, and what is to be said of it."""
_KIND = "CiliumBGPNodeConfig"


def disagreements(objects: Objects, nodes: Sequence[NodePlan], owners: Mapping[str, str]) -> Iterator[str]:
    """What the NodeConfigs say beside ClusterConfigs; ``owners`` are the ClusterConfigs that have the nodes."""
    if objects.configs:
        configs = {item.name: item for item in objects.configs}
        yield from _told(_of_nodes(objects, {node.name for node in nodes}, owners, configs))


def _told(differences: Iterator[Difference]) -> Iterator[str]:
    """A line for each thing to say, with the first node and how many more it is true of."""
    of: dict[str, list[str]] = {}
    for node, what in differences:
        of.setdefault(what, []).append(node)
    for what, nodes in of.items():
        others = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        yield f"{_KIND} {nodes[0]}{others}: {what}"


def _of_nodes(
    objects: Objects, nodes: set[str], owners: Mapping[str, str], configs: Mapping[str, Item]
) -> Iterator[Difference]:
    written = {item.name: item.body for item in objects.node_configs}
    for name, config in written.items():
        if name not in nodes:
            yield name, "there is no node of that name, so it is left out"
        elif name not in owners:
            yield name, "no CiliumBGPClusterConfig selects its node, so it is left out; the operator would delete it"
        else:
            yield from ((name, what) for what in _of_node(objects, config, configs[owners[name]]))
    for name, owner in owners.items() if written else ():
        if name not in written:
            yield (
                name,
                f"it is missing, though CiliumBGPClusterConfig {owner} selects the node; it is played so",
            )


def _of_node(objects: Objects, config: NodeConfig, owner: Item) -> Iterator[str]:
    if config.owner is not None and config.owner != owner.name:
        yield f"its owner is CiliumBGPClusterConfig {config.owner}, while {owner.name} selects its node"
    override = objects.overrides.get(config.metadata.name)
    own = {entry.name: entry for entry in override.spec.bgp_instances} if override is not None else {}
    written = {instance.name: instance for instance in config.spec.bgp_instances}
    made = {one.name: _made(one, own.get(one.name)) for one in owner.body.spec.bgp_instances}
    played = f"CiliumBGPClusterConfig {owner.name} is played"
    for name in {**made, **written}:
        yield from (f"instance {name}{what}; {played}" for what in _of_instance(written.get(name), made.get(name)))


def _made(instance: Instance, override: InstanceOverride | None) -> NodeInstance:
    """What the operator makes of an instance for a node."""
    addresses = {peer.name: peer.local_address for peer in override.peers} if override is not None else {}
    peers = tuple(
        NodePeer.model_construct(**dict(peer), local_address=addresses.get(peer.name)) for peer in instance.peers
    )
    asn = override.local_asn if override is not None and override.local_asn is not None else instance.local_asn
    router_id = override.router_id if override is not None else None
    return NodeInstance.model_construct(name=instance.name, local_asn=asn, router_id=router_id, peers=peers)


def _of_instance(written: NodeInstance | None, made: NodeInstance | None) -> Iterator[str]:
    if written is None or made is None:
        yield " is missing" if written is None else " is no longer wanted"
        return
    if written.local_asn != made.local_asn:
        yield f": localASN {written.local_asn} is now {made.local_asn}"
    if made.router_id is not None and written.router_id != made.router_id:  # else it may be one of a pool of router IDs
        yield f": routerID {written.router_id} is now {made.router_id}"
    peers, wanted = ({peer.name: peer for peer in one.peers} for one in (written, made))
    for name in {**wanted, **peers}:
        yield from (f", peer {name}{what}" for what in _of_peer(peers.get(name), wanted.get(name)))


def _of_peer(written: NodePeer | None, made: NodePeer | None) -> Iterator[str]:
    if written is None or made is None:
        yield " is missing" if written is None else " is no longer wanted"
        return
    had, has = _fields(written, written.local_address), _fields(made, made.local_address)
    for key in had:
        if had[key] != has[key]:
            yield f": {key} {had[key] or 'unset'} is now {has[key] or 'unset'}"


def _fields(peer: Peer, local_address: str | None) -> dict[str, str | int | None]:
    """What is compared; an address that was discovered stands nowhere in the objects."""
    return {
        "peerASN": peer.peer_asn,
        "peerAddress": peer.peer_address,
        "peerConfigRef": peer.peer_config_ref.name if peer.peer_config_ref is not None else None,
        "localAddress": local_address,
        "autoDiscovery": peer.auto_discovery.mode if peer.auto_discovery is not None else None,
    }


def against_status(
    objects: Objects, peerings: Sequence[PeeringPlan], routers: Sequence[RouterPlan], timers_set: bool
) -> Iterator[str]:
    """Where a run begins otherwise than the agents reported; ``timers_set``: the scenario has timers of its own."""
    by_name = {router.name: router for router in routers}
    configs = {item.name: item.body for item in objects.node_configs}
    yield from _told(
        (peering.node, what)
        for peering in peerings
        if peering.node in configs
        for what in _of_session(configs[peering.node], peering, by_name[peering.router], timers_set)
    )
    yield from _told(_errors(configs))


def _errors(configs: Mapping[str, NodeConfig]) -> Iterator[Difference]:
    for name, config in configs.items():
        for condition in config.status.conditions:
            if condition.status == "True":
                yield name, f"{condition.type} is True in the dump: {' '.join(condition.message.split())}"


def _of_session(config: NodeConfig, peering: PeeringPlan, router: RouterPlan, timers_set: bool) -> Iterator[str]:
    reported = config.reported(peering.instance, peering.peer)
    if reported is None:
        return
    who = f"instance {peering.instance}, peer {peering.peer}"
    if reported.peering_state not in (None, ESTABLISHED):
        yield f"{who} is {reported.peering_state} in the dump; a run begins with every session established"
        return
    hold_s, applied_s = min(peering.hold_s, router.profile.hold_s), reported.timers.applied_hold_time_seconds
    if applied_s not in (None, hold_s) and not timers_set:
        of_router = f"{router.name} has a holdTimeSeconds of {router.profile.hold_s}"
        yield f"{who} has a hold time of {applied_s} s applied in the dump, and {hold_s} s here: {of_router}"
    for count in reported.route_count:
        sent = sum((":" in prefix) == (count.afi == "ipv6") for prefix in peering.prefixes)
        if count.safi == "unicast" and count.advertised != sent:
            yield f"{who} has {count.advertised} {count.afi}/unicast routes advertised in the dump, and {sent} here"
