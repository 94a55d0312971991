"""What an advice means in files: a CiliumBGPPeerConfig to apply, values for Helm, and words for the routers."""

import io
from typing import Any

from ruamel.yaml import YAML

from simbgp.profiles import format_duration
from simbgp.scenario.plan import PeeringPlan
from simbgp.study.advise.advised import Advised
from simbgp.study.advise.words import order_phrase


def patch_text(found: Advised) -> str:
    """The CiliumBGPPeerConfigs with the advised timers, one document each, and as comments what else is to be set.

    Only timers and graceful restart are in it: `kubectl apply --server-side` leaves all other fields alone.
    """
    documents = [_document(found, peering) for peering in _of_each_config(found).values()]
    head = [f"# {found.reproduce}", "# kubectl apply --server-side -f FILE changes these fields and no others."]
    head += [f"# {line}" for line in (*at_the_nodes(found), *at_the_routers(found))]
    return "\n".join(head) + "\n---\n" + "---\n".join(_dumped(document) for document in documents)


def _of_each_config(found: Advised) -> dict[str, PeeringPlan]:
    """The first session of each CiliumBGPPeerConfig, with the advised values."""
    configs: dict[str, PeeringPlan] = {}
    for peering in found.advised_plan().peerings:
        configs.setdefault(peering.origin.peer_config or "cilium-peer", peering)
    return configs


def _document(found: Advised, peering: PeeringPlan) -> dict[str, Any]:
    restart = peering.restart
    graceful: dict[str, Any] = {"enabled": restart.enabled}
    if restart.enabled:
        graceful["restartTimeSeconds"] = restart.restart_time_s
    return {
        "apiVersion": f"cilium.io/{found.plan.speaker.crd_version}",
        "kind": "CiliumBGPPeerConfig",
        "metadata": {"name": peering.origin.peer_config or "cilium-peer"},
        "spec": {
            "timers": {"holdTimeSeconds": peering.hold_s, "keepAliveTimeSeconds": peering.keepalive_s},
            "gracefulRestart": graceful,
        },
    }


def _dumped(document: dict[str, Any]) -> str:
    text = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(document, text)
    return text.getvalue()


def at_the_nodes(found: Advised) -> list[str]:
    """What else changes in the cluster."""
    lines, chosen = [], found.chosen
    balancer = found.advised_plan().load_balancer
    if chosen.algorithm is not None or chosen.mode is not None:
        lines.append(
            f"Helm: --set loadBalancer.algorithm={balancer.algorithm} --set loadBalancer.mode={balancer.mode}"
            " (mode needs native routing, or Geneve for dsr; agents restart)"
        )
    if chosen.drain is not None:
        lines.append(f"drain nodes in the order {order_phrase(chosen.drain)}: {', then '.join(chosen.drain)}")
    lines += [f"set {path} to {value}" for path, value in chosen.paths]
    return lines


def at_the_routers(found: Advised) -> list[str]:
    """What to set at the routers."""
    lines, chosen = [], found.chosen
    short = [router for router in found.plan.routers if chosen.hold and router.profile.hold_s < chosen.hold]
    if chosen.hold is not None:
        asked = f"the hold time of {chosen.hold} s is negotiated: the lower of both ends counts"
        lines.append(
            f"routers: {asked}{', and ' + short[0].name + ' has a lower one' if short else ', nothing to set'}"
        )
    if chosen.restart:
        lines.append(
            f"routers: a stale-path time of at least {chosen.restart} s, helper mode on (FRR: bgp graceful-restart; "
            "GoBGP: graceful-restart in the neighbour)"
        )
    if chosen.hash is not None:
        lines.append(f"routers: ECMP hash {chosen.hash} for the service prefixes")
    if chosen.bfd:
        lines.append(
            f"routers: BFD {format_duration(chosen.bfd)} × 3 with every node; no Cilium release has BFD, so something "
            "else on the node must speak it"
        )
    return lines
