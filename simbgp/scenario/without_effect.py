"""Objects that Cilium takes and that do nothing: it tells nobody, so this reader does."""

from collections.abc import Iterator, Sequence

from simbgp.scenario.crd_advertisements import Advertised
from simbgp.scenario.crd_pools import PodIpPool
from simbgp.scenario.crds import PeerConfigSpec
from simbgp.scenario.objects import Item, Objects
from simbgp.scenario.plan import NodePlan


def without_effect(objects: Objects, nodes: Sequence[NodePlan]) -> Iterator[str]:
    """A line for each object or part of one that names what is not there."""
    for item in objects.advertisements:
        yield from _of_advertisement(item)
    for item in objects.peer_configs.values():
        yield from _of_peer_config(objects, item)
    yield from _of_pools(objects, nodes)
    yield from _of_overrides(objects, nodes)


def _of_advertisement(item: Item) -> Iterator[str]:
    entries: Sequence[Advertised] = item.body.spec.advertisements
    what = f"CiliumBGPAdvertisement {item.name}:"
    if any(entry.advertisement_type == "Interface" for entry in entries):
        yield f"{what} Interface entries announce nothing that is read yet"
    for entry in entries:
        if entry.advertisement_type in ("Service", "CiliumPodIPPool") and entry.selector is None:
            yield f"{what} a {entry.advertisement_type} entry without selector selects nothing"


def _of_peer_config(objects: Objects, item: Item) -> Iterator[str]:
    spec: PeerConfigSpec = item.body.spec
    for family in spec.families or ():
        named = f"CiliumBGPPeerConfig {item.name}: {family.afi}/{family.safi}"
        if family.advertisements is None:
            yield f"{named} has no advertisements selector, so nothing is announced in it"
        elif not any(objects.labelled_advertisements.selected(family.advertisements)):
            yield f"{named}: its selector matches no CiliumBGPAdvertisement, so nothing is announced in it"


def _of_pools(objects: Objects, nodes: Sequence[NodePlan]) -> Iterator[str]:
    """The reconciler goes through the pools that there are (pod_ip_pool.go)."""
    known = {item.name for item in objects.of(PodIpPool)}
    wanted = {entry.advertisement_type for item in objects.advertisements for entry in item.body.spec.advertisements}
    if "CiliumPodIPPool" not in wanted:
        return
    for node in nodes:
        for pool in node.pools:
            if pool not in known:
                yield f"CiliumPodIPPool {pool} of node {node.name} is missing, so its CIDRs are not announced"
    if not any(node.pools for node in nodes):
        yield "no CiliumNode has CIDRs of a CiliumPodIPPool (spec.ipam.pools.allocated), so none is announced"


def _of_overrides(objects: Objects, nodes: Sequence[NodePlan]) -> Iterator[str]:
    names = {node.name for node in nodes}
    instances = {i.name: {p.name for p in i.peers} for item in objects.configs for i in item.body.spec.bgp_instances}
    for name, override in objects.overrides.items():
        what = f"CiliumBGPNodeConfigOverride {name}:"
        if name not in names:
            yield f"{what} there is no node of that name, so it overrides nothing"
        for instance in override.spec.bgp_instances:
            if instance.name not in instances:
                yield f"{what} no CiliumBGPClusterConfig has an instance {instance.name}, so it overrides nothing there"
                continue
            for peer in instance.peers:
                if peer.name not in instances[instance.name]:
                    yield f"{what} instance {instance.name} has no peer {peer.name}, so it overrides nothing there"
