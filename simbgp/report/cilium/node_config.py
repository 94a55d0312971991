"""The CiliumBGPNodeConfigs: what the operator wrote for each node, and the status that its agent reports.

Source: cilium ``operator/pkg/bgp/cluster.go`` (spec, owner), ``pkg/bgp/manager/reconciler/crd_status.go`` (status).
An agent patches its status within some 5 s of a change; shown is what it has to report, and for one that is down what
it reported last, which stays until it is back.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from simbgp.report.cilium.go import rfc3339
from simbgp.report.cilium.replay import Replay, Reported
from simbgp.report.cilium.snapshot import timers_of
from simbgp.scenario.plan import PeeringPlan, RouterPlan

Object = dict[str, Any]


class NodeConfigs:
    """The objects at the moment of ``replay``; ``time_zero`` is the time of day of the simulated time 0."""

    def __init__(self, replay: Replay, time_zero: datetime) -> None:
        self._replay = replay
        self._time_zero = time_zero
        self._routers = {router.name: router for router in replay.plan.routers}

    def of(self, node: str | None = None) -> list[Object]:
        """All objects by name, or that of ``node`` if there is one."""
        states = self._replay.nodes
        names = sorted(name for name, state in states.items() if state.sessions and state.configured)
        return [self._object(name) for name in names if node in (None, name)]

    def _object(self, name: str) -> Object:
        state = self._replay.nodes[name]
        version = f"cilium.io/{state.release.crd_version}"
        peerings = [session.peering for session in state.sessions.values()]
        return {
            "apiVersion": version,
            "kind": "CiliumBGPNodeConfig",
            "metadata": {
                "creationTimestamp": rfc3339(self._time_zero, state.configured_us),
                "generation": 1,
                "name": name,
                "ownerReferences": [_owner(version, peerings[0].origin.cluster_config)],
            },
            "spec": {"bgpInstances": [self._instance(version, several) for several in _instances(peerings)]},
            "status": _status(self._of_instances(self._replay.reported(name))),
        }

    def _instance(self, version: str, peerings: Sequence[PeeringPlan]) -> Object:
        first = peerings[0]
        peers = [self._peer(version, peering) for peering in peerings]
        own = {"localPort": first.origin.local_port, "routerID": first.origin.router_id}
        written = {key: value for key, value in own.items() if value is not None}
        return {"localASN": first.local_asn, **written, "name": first.instance, "peers": peers}

    def _peer(self, version: str, peering: PeeringPlan) -> Object:
        peer: Object = self._named(peering)
        if peering.origin.local_address is not None:
            peer["localAddress"] = peering.origin.local_address
        if peering.origin.peer_config is not None:
            reference = {"name": peering.origin.peer_config}
            if version == "cilium.io/v2alpha1":  # whose references still have these two, filled in by the CRD
                reference |= {"group": "cilium.io", "kind": "CiliumBGPPeerConfig"}
            peer["peerConfigRef"] = reference
        return peer

    def _named(self, peering: PeeringPlan) -> Object:
        asn = self._routers[peering.router].asn
        return {"name": peering.peer, "peerASN": asn, "peerAddress": peering.peer_address}

    def _of_instances(self, reported: Sequence[Reported]) -> Iterator[Object]:
        for _, group in groupby(reported, key=lambda one: one.peering.instance):
            several = list(group)
            first = several[0].peering
            peers = [self._peer_status(one) for one in several]
            yield {"localASN": first.local_asn, "name": first.instance, "peers": peers}

    def _peer_status(self, one: Reported) -> Object:
        router: RouterPlan = self._routers[one.peering.router]
        up = one.state == "established"
        timers = timers_of(one.peering, router, up)
        status = self._named(one.peering)
        if up:
            status["establishedTime"] = rfc3339(self._time_zero, one.since_us)
        status["peeringState"] = one.state
        status["routeCount"] = [
            {"advertised": sent, "afi": afi, "received": received, "safi": "unicast"}
            for afi, received, sent in one.counts
        ]
        applied = timers.applied_hold_s, timers.applied_keepalive_s
        status["timers"] = dict(zip(("appliedHoldTimeSeconds", "appliedKeepaliveSeconds"), applied, strict=True))
        return status


def _owner(version: str, name: str) -> Object:
    """The ClusterConfig; it is named as the controller since the objects are stored as v2 (cluster.go@344d90ba)."""
    owner = {"apiVersion": version, "kind": "CiliumBGPClusterConfig", "name": name}
    return owner if version == "cilium.io/v2alpha1" else {**owner, "controller": True}


def _status(instances: Iterator[Object]) -> Object:
    found = list(instances)
    return {"bgpInstances": found} if found else {}


def _instances(peerings: Sequence[PeeringPlan]) -> Iterator[list[PeeringPlan]]:
    for _, group in groupby(peerings, key=lambda peering: peering.instance):
        yield list(group)
