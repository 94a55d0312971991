"""Checks of the ``cluster`` part."""

import ipaddress
import itertools
from collections.abc import Iterator

from simbgp.profiles import UnknownProfileError, format_duration, speaker
from simbgp.scenario.checks.view import View, repeated
from simbgp.scenario.errors import Problem
from simbgp.scenario.plan import NodePlan
from simbgp.scenario.schema.cluster import MOST_NODES

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_JITTER = 1.2
"""JitterFactor of client-go's leader election."""


def one_source_of_nodes(view: View) -> Iterator[Problem]:
    """Nodes come from exactly one of ``nodes``, ``racks`` and the manifests."""
    cluster = view.document.cluster
    if not view.draft.sound("cluster.nodes", "cluster.racks", "cluster.manifests"):
        return
    if cluster.racks is not None and cluster.nodes is not None:
        yield view.problem(("cluster", "racks"), "racks make the nodes; allowed: nodes or racks, not both")
    if view.layout is not None and not view.layout.nodes and not view.objects.problems:
        yield view.problem(
            ("cluster",),
            "there are no nodes; allowed: nodes (a number, a list), racks, or manifests with Node objects",
        )


def not_too_many_nodes(view: View) -> Iterator[Problem]:
    """The nodes of manifests fit into a machine, as those written here must."""
    count = len(view.layout.nodes) if view.layout is not None else 0
    if count > MOST_NODES:
        yield view.problem(("cluster",), f"{count} nodes are too many; allowed: {MOST_NODES} in all")


def node_names(view: View) -> Iterator[Problem]:
    """A node's name is its own."""
    nodes = view.document.cluster.nodes
    if isinstance(nodes, tuple):
        entries = ((("cluster", "nodes", i, "name"), node.name) for i, node in enumerate(nodes))
        for path, name in repeated(entries):
            yield view.problem(path, f"duplicate node name {name!r}; allowed: each name once")


def pod_cidr_twice_written(view: View) -> Iterator[Problem]:
    """``podCIDR`` is the first of ``podCIDRs``, as in a Node object."""
    nodes = view.document.cluster.nodes
    for i, node in enumerate(nodes if isinstance(nodes, tuple) else ()):
        if node.pod_cidr and node.pod_cidrs and node.pod_cidr not in node.pod_cidrs:
            path = ("cluster", "nodes", i, "podCIDR")
            yield view.problem(
                path, f"{node.pod_cidr} is not among podCIDRs; allowed: one of {', '.join(node.pod_cidrs)}"
            )


def pod_cidrs_apart(view: View) -> Iterator[Problem]:
    """No two nodes have the same pod addresses."""
    if view.layout is None:
        return
    place = {node.name: i for i, node in enumerate(view.layout.nodes)}
    for version in (4, 6):
        owned = sorted(
            (
                (int(network.network_address), int(network.broadcast_address), place[node.name], str(network), node)
                for node in view.layout.nodes
                for network in _networks(node)
                if network.version == version
            ),
            key=lambda entry: entry[:-1],  # a node twice of one name has its twin's places
        )
        for (_, last, _, _, one), (start, _, _, text, two) in itertools.pairwise(owned):
            if start <= last:
                late, early = (two, one) if place[two.name] >= place[one.name] else (one, two)
                what = f"podCIDR {text} of {late.name} overlaps one of {early.name}; allowed: prefixes apart"
                yield view.problem(("cluster", "nodes", place[late.name]), what)


def _networks(node: NodePlan) -> list[Network]:
    of_pools = itertools.chain.from_iterable(node.pools.values())
    return [ipaddress.ip_network(cidr) for cidr in dict.fromkeys((*node.pod_cidrs, *of_pools))]


def timers(view: View) -> Iterator[Problem]:
    """The CRD's rule: keepAliveTimeSeconds is not larger than holdTimeSeconds."""
    written = view.document.cluster.timers
    hold, keepalive = written.hold_time_seconds or 90, written.keep_alive_time_seconds
    if keepalive is not None and keepalive > hold:
        path = ("cluster", "timers", "keepAliveTimeSeconds")
        yield view.problem(path, f"{keepalive} is larger than holdTimeSeconds {hold}; allowed: 1 to {hold}")


def leader_election(view: View) -> Iterator[Problem]:
    """client-go's rule, with the renew deadline between the two."""
    written = view.document.cluster.operator
    if written.lease_duration <= _JITTER * written.retry_period:
        lease, retry = format_duration(written.lease_duration), format_duration(written.retry_period)
        what = f"leaseDuration {lease} is not above {_JITTER} times retryPeriod {retry}"
        yield view.problem(("cluster", "operator"), f"{what}; allowed: a longer lease, or a shorter period")


def cilium_release(view: View) -> Iterator[Problem]:
    """There is a profile of the release."""
    name = view.document.cluster.cilium
    try:
        if name is not None:
            speaker(name)
    except UnknownProfileError as error:
        yield view.problem(("cluster", "cilium"), str(error))


def manifests_stand(view: View) -> Iterator[Problem]:
    """The manifests are sound, and what they select is."""
    yield from view.objects.problems
    yield from view.selection.problems


def beside_cluster_configs(view: View) -> Iterator[Problem]:
    """With CiliumBGPClusterConfigs the objects alone decide who peers, and what is announced."""
    if not view.objects.deciding:
        return
    for path, _ in view.draft.items("services"):
        what = "'services' beside a CiliumBGPClusterConfig is not supported yet; supported: Services of the manifests"
        yield view.problem(path, what)
    peers = [p for item in view.objects.deciding for i in item.body.spec.bgp_instances for p in i.peers]
    discovered = any(peer.auto_discovery is not None for peer in peers)
    for path, router in view.draft.items("routers"):
        if "nodes" in router.model_fields_set and not discovered:  # else they say whose default gateway it is
            what = "the CiliumBGPClusterConfig decides who peers with it; allowed: no nodes here"
            yield view.problem((*path, "nodes"), what)
    if "advertise" in view.document.cluster.model_fields_set:
        what = "the CiliumBGPAdvertisements decide; allowed: no advertise beside a CiliumBGPClusterConfig"
        yield view.problem(("cluster", "advertise"), what)


def pools_to_advertise(view: View) -> Iterator[Problem]:
    """Where ``advertise`` names CiliumPodIPPool, some node has CIDRs of one."""
    cluster = view.document.cluster
    if "CiliumPodIPPool" not in cluster.advertise or view.layout is None or view.objects.deciding:
        return
    if not any(node.pools for node in view.layout.nodes):
        what = "no node has CIDRs of a CiliumPodIPPool; allowed: nodes with podIPPools, or CiliumNodes in manifests"
        yield view.problem(("cluster", "advertise", cluster.advertise.index("CiliumPodIPPool")), what)


def placements(view: View) -> Iterator[Problem]:
    """Pods are placed on nodes that exist, and are those of an object that is there."""
    if view.nodes is None:
        return
    known = {item.name for item in view.objects.items}
    for name, nodes in view.document.cluster.placement.items():
        if name not in known and view.draft.sound("cluster.manifests"):
            yield view.unknown(("cluster", "placement", name), "object", name, sorted(k for k in known if "/" in k))
        for i, node in enumerate(nodes):
            if node not in view.nodes:
                yield view.unknown(("cluster", "placement", name, i), "node", node, view.nodes)


CHECKS = (
    one_source_of_nodes,
    not_too_many_nodes,
    node_names,
    pod_cidr_twice_written,
    pod_cidrs_apart,
    pools_to_advertise,
    timers,
    leader_election,
    cilium_release,
    manifests_stand,
    beside_cluster_configs,
    placements,
)
