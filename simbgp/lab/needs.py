"""What the lab needs of the machine, and what of a scenario it plays; all that is missing or refused, by name."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator

from simbgp.lab.daemons.kinds import DAEMONS, Daemon, daemon_of
from simbgp.lab.dataplane.layout import MOST_PODS
from simbgp.lab.errors import LabError
from simbgp.lab.faults import KINDS
from simbgp.lab.shell import tried
from simbgp.lab.topology import versions_at
from simbgp.scenario import Plan
from simbgp.scenario.plan import RouterPlan, ServicePlan

MOST_NODES, MOST_ROUTERS = 32, 8
_TOOLS = (("ip", "iproute2"), ("ss", "iproute2"), ("nft", "nftables"), ("sysctl", "procps"))
_TOOLS_OF_CLIENTS = (("conntrack", "conntrack"),)
_NOT_PLAYED = {
    "agent-upgrade": "a rollout needs a DaemonSet; agent-restart plays one node of it",
    "backends-down": "there is no Kubernetes that would tell the nodes",
    "node-drain": "there is no Kubernetes; unlabel and node-down play its steps",
    "node-join": "every node is there at time 0",
    "operator-down": "there is no operator",
    "router-down": "routers stay up",
    "router-restart": "routers stay up",
    "service-add": "every service is there at time 0",
    "stall": "no process is stopped",
}


def check(plan: Plan) -> None:
    """Raise LabError with everything that keeps this machine from playing ``plan``, a line each."""
    wrong = [*refusals(plan), *lacking(plan)]
    if wrong:
        raise LabError("\n".join(wrong))


def refusals(plan: Plan) -> Iterator[str]:
    """What of a plan the lab does not play."""
    if not plan.speaker.bare or not plan.speaker.gobgp:
        yield (
            f"cluster.cilium: the lab's nodes run gobgpd alone, not the {plan.speaker.name} agent; "
            "take --set cluster.cilium=gobgp-3.10"
        )
    if plan.cold_start:
        yield "start: cold is not played; the lab begins when all sessions are up"
    if len(plan.nodes) > MOST_NODES or len(plan.routers) > MOST_ROUTERS:
        yield f"the lab plays at most {MOST_NODES} nodes and {MOST_ROUTERS} routers"
    if not plan.routers or not plan.peerings:
        yield "the lab needs a router and a node that peers with it"
    yield from _of_routers(plan)
    yield from _of_sessions(plan)
    yield from _of_traffic(plan)
    for fault in plan.faults:
        if fault.kind not in KINDS:
            why = _NOT_PLAYED.get(fault.kind, "the lab has no means for it")
            yield f"faults: {fault.kind} is not played: {why}; played: {', '.join(sorted(KINDS))}"
    if plan.background:
        yield "background: the lab plays faults at moments that are written, none by chance"


def _of_routers(plan: Plan) -> Iterator[str]:
    for router in plan.routers:
        if daemon_of(router.profile.name) is None:
            yield f"{router.name}: no daemon plays the profile {router.profile.name}; played: {', '.join(DAEMONS)}"
        if router.profile.long_lived and router.profile.name.startswith("openbgpd"):
            yield f"{router.name}: OpenBGPD has no long-lived graceful restart"
        if router.bfd is not None:
            yield f"{router.name}: bfd is not played"
        yield from _of_group(router)


def _of_group(router: RouterPlan) -> Iterator[str]:
    ecmp, name = router.ecmp, router.name
    if ecmp.hash not in ("hash-threshold", "resilient"):
        yield f"{name}: ecmp.hash {ecmp.hash} is not played; the kernel has hash-threshold and resilient"
    if ecmp.order != "address":
        yield f"{name}: ecmp.order {ecmp.order} is not played; groups stand by address here"
    if ecmp.hash != "resilient":
        return
    if ecmp.addition != "idle":
        yield f"{name}: ecmp.addition {ecmp.addition} is not played; the kernel's is idle"
    if ecmp.idle_s % 1 or ecmp.unbalanced_s % 1:
        yield f"{name}: ecmp.idleTimer and ecmp.unbalancedTimer are whole seconds in iproute2"


def _of_traffic(plan: Plan) -> Iterator[str]:
    """What of the clients, and of what is behind the routers, the lab does not play."""
    if not plan.traffic:
        return
    if plan.fabric:
        yield "fabric is not played: clients enter at the routers"
    kernels = {(traffic.client, traffic.tcp_retries2) for traffic in plan.traffic}
    if len(kernels) > 1:
        yield "traffic: all clients share a kernel; give them one client.profile and one client.tcpRetries2"
    if any(node.ecmp_weight != 1 for node in plan.nodes):
        yield "cluster.nodes: ecmpWeight is not played: daemons get no link bandwidth"
    asked = {traffic.service for traffic in plan.traffic}
    for service in (each for each in plan.services if each.name in asked):
        yield from _of_service(plan, service)


def _of_service(plan: Plan, service: ServicePlan) -> Iterator[str]:
    without = "--connections 0 leaves clients out"
    if service.affinity_s is not None:
        yield f"{service.name}: sessionAffinity is not played; {without}"
    if any(":" in prefix for prefix in service.prefixes):
        yield f"{service.name}: clients of IPv6 addresses are not played; {without}"
    homes = Counter(backend.node for backend in service.backends)
    if not homes:
        yield f"{service.name}: a service without backends is not played; {without}"
    elif max(homes.values()) > MOST_PODS:
        yield f"{service.name}: at most {MOST_PODS} backends on a node are played; {without}"
    if strangers := sorted(set(homes) - {node.name for node in plan.nodes}):
        yield f"{service.name}: backends on {', '.join(strangers)}, which the lab does not have; {without}"


def _of_sessions(plan: Plan) -> Iterator[str]:
    for router in plan.routers:
        if len(versions_at(plan, router.name)) > 1:
            yield (
                f"{router.name}: prefixes of IPv4 and IPv6 at one router are not played; give each family a router "
                'of its own: "families: [ipv6]" at one, "families: [ipv4]" at the other'
            )


def lacking(plan: Plan) -> list[str]:
    """What this machine lacks for ``plan``, each with the line that installs it."""
    if not sys.platform.startswith("linux"):
        return ["the lab needs Linux: network namespaces"]
    found = [] if os.geteuid() == 0 else ["the lab needs root: sudo simbgp lab ..."]
    tools = [*_TOOLS, *_TOOLS_OF_CLIENTS] if plan.traffic else _TOOLS
    packages = {package for tool, package in tools if shutil.which(tool) is None}
    daemons = [DAEMONS["gobgp"], *filter(None, (daemon_of(router.profile.name) for router in plan.routers))]
    packages |= {daemon.package for daemon in daemons if not daemon.installed}
    if packages:
        names = " ".join(sorted(packages))
        found.append(f"not installed: {names}; on Debian: apt-get install --no-install-recommends {names}")
    if not found and not _can_make_namespaces():
        found.append(
            "this machine lets nobody make network namespaces (a container needs CAP_SYS_ADMIN and CAP_NET_ADMIN)"
        )
    return found


def _can_make_namespaces() -> bool:
    return tried(["unshare", "--net", "true"]) is not None


def versions(plan: Plan) -> dict[str, str]:
    """The releases that play: the kernel's, and of each daemon."""
    found: dict[str, Daemon] = {"gobgp": DAEMONS["gobgp"]}
    for router in plan.routers:
        daemon = daemon_of(router.profile.name)
        if daemon is not None:
            found[router.profile.name.partition("-")[0]] = daemon
    return {"linux": os.uname().release} | {name: daemon.release() for name, daemon in sorted(found.items())}


def mismatches(plan: Plan) -> list[str]:
    """Where the release that plays is not the one that the profile describes, and what is not played at all."""
    installed = versions(plan)
    names = dict.fromkeys([plan.speaker.name, *(router.profile.name for router in plan.routers)])
    return [
        f"profile {name} is predicted, {make} {installed[make]} is measured"
        for name in names
        for make, _, release in [name.partition("-")]
        if make in installed and not f"{installed[make]}.".startswith(f"{release}.")
    ]


def left_out(whole: Plan, played: Plan) -> Iterator[str]:
    """What of a scenario's clients is not played, and what their pods do without."""
    if whole.traffic and not played.traffic:
        yield "traffic is not played: --connections 0"
    wanted, taken = (sum(traffic.connections for traffic in plan.traffic) for plan in (whole, played))
    if played.traffic and taken < wanted:
        yield f"{taken} of {wanted} connections are played, and as small a share of the arrivals"
    if played.traffic and any(fault.kind == "node-down" for fault in played.faults):
        notices_s, _ = played.node_monitor_grace.support
        if played.horizon_us / 1e6 > notices_s:
            yield f"no Kubernetes takes dead pods from the nodes' tables; in the model one does from {notices_s:g} s on"
