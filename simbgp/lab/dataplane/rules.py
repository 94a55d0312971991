"""The load balancer of a node, as nftables: which pod a connection goes to, and how the answer comes back.

``snat``: the pod is picked once for each connection that conntrack does not know, and sees the node's address; the
answer comes back over the node. ``dsr`` and ``Local``: the pod sees the client's. With DSR a map remembers the choice,
since conntrack, which sees one way only, would not; the answer leaves by the pod's own node, which gives it the
service's address again. All nodes have the same Maglev table and find a slot with the same hash.
"""

from collections.abc import Callable, Iterator, Sequence

from simbgp.lab.dataplane.layout import POD_NETS, SERVICE_PORT, Layout, Pod, Vip
from simbgp.scenario.plan import LoadBalancerPlan, Plan
from simbgp.traffic import maglev_table

TABLE = "simbgp"
FABRIC = "fabric"
"""The interface of a node to the other nodes and all pods."""
_SEED = 0x51B6
"""Of the flow hash: the same on all nodes, as Cilium's is; nftables draws one for each rule that has none."""
_FLOW = "ip saddr . tcp sport"
_MOST_FLOWS = 65_535


def ruleset(plan: Plan, layout: Layout, node: str, uplinks: Sequence[str]) -> str:
    """The rules of one node, whose interfaces to the routers are ``uplinks``."""
    ups = f"{{ {', '.join(f'{chr(34)}{name}{chr(34)}' for name in uplinks)} }}"
    lines = [
        f"set seen {{ type ipv4_addr . inet_service; flags dynamic; size {_MOST_FLOWS}; }}",
        *_chain("arriving", "filter hook prerouting priority raw", _arriving(plan, layout, ups)),
        *_chain("picking", "nat hook prerouting priority dstnat", _picking(plan, layout, node, ups)),
        *_chain("hiding", "nat hook postrouting priority srcnat", _hiding(plan, layout, node)),
        *_chain("leaving", "filter hook postrouting priority raw", _leaving(plan, layout, ups)),
        *_chain("unknown", "filter hook prerouting priority -110", _unknown(plan, layout, ups)),
    ]
    for vip in layout.vips:
        if is_dsr(plan, vip):
            lines = [*_remembering(plan, layout, vip), *lines]
    return f"table ip {TABLE} {{\n" + "\n".join(lines) + "\n}\n"


def is_dsr(plan: Plan, vip: Vip) -> bool:
    """Whether answers of the service bypass the node that picked the pod."""
    return plan.load_balancer.mode == "dsr" and vip.service.policy == "Cluster"


def _chain(name: str, hook: str, rules: Iterator[str]) -> list[str]:
    return [f"chain {name} {{", f"type {hook}; policy accept;", *rules, "}"]


def _to(vip: Vip, ups: str) -> str:
    return f"iifname {ups} ip daddr {vip.address} tcp dport {SERVICE_PORT}"


def _arriving(plan: Plan, layout: Layout, ups: str) -> Iterator[str]:
    for vip in layout.vips:
        yield f"{_to(vip, ups)} add @seen {{ {_FLOW} }}"
        if is_dsr(plan, vip):
            yield f"{_to(vip, ups)} notrack goto {_name(vip)}"
            yield f'iifname "{FABRIC}" ip saddr {POD_NETS} tcp sport {vip.pod_port} notrack'


def _name(vip: Vip) -> str:
    return f"dsr{vip.pod_port}"


def _remembering(plan: Plan, layout: Layout, vip: Vip) -> list[str]:
    """The chain of one address with DSR: the pod that the map knows, or another pick, and the packet goes there."""
    pods = layout.of_service(vip.service.name)
    there = ", ".join(f"{pod.number} : {pod.address}" for pod in pods)
    name = _name(vip)
    opening = "tcp flags & (syn | ack) == syn "
    unknown = {
        "pick": [],
        "reset": [f"{opening}goto {name}_new", "reject with tcp reset"],
        "drop": [f"{opening}goto {name}_new", "drop"],
    }[plan.load_balancer.unknown_flow]
    picked = [
        f"meta mark set {_pick(plan.load_balancer, pods, lambda pod: str(pod.number))}",
        f"add @{name}_flows {{ {_FLOW} : meta mark }}",
        f"goto {name}_to",
    ]
    return [
        f"map {name}_flows {{ type ipv4_addr . inet_service : mark; flags dynamic; size {_MOST_FLOWS}; }}",
        *(f"chain {name}_to {{", f"ip daddr set meta mark map {{ {there} }} tcp dport set {vip.pod_port}", "}"),
        *(f"chain {name}_new {{", *picked, "}"),
        f"chain {name} {{",
        f"meta mark set {_FLOW} map @{name}_flows",
        f"meta mark != 0 goto {name}_to",
        *(unknown or [f"goto {name}_new"]),
        "}",
    ]


def _picking(plan: Plan, layout: Layout, node: str, ups: str) -> Iterator[str]:
    for vip in layout.vips:
        pods = layout.of_service(vip.service.name)
        here = pods if vip.service.policy == "Cluster" else [pod for pod in pods if pod.node == node]
        if not is_dsr(plan, vip):
            yield f"{_to(vip, ups)} {_sent_to(plan, vip, here)}"


def _sent_to(plan: Plan, vip: Vip, pods: Sequence[Pod]) -> str:
    if not pods:
        return "accept"
    return f"dnat ip to {_pick(plan.load_balancer, pods, lambda pod: pod.address)} : {vip.pod_port}"


def _pick(balancer: LoadBalancerPlan, pods: Sequence[Pod], name: Callable[[Pod], str]) -> str:
    """An expression for one of the pods."""
    if balancer.algorithm == "random":
        among = ", ".join(f"{n} : {name(pod)}" for n, pod in enumerate(pods))
        return f"numgen random mod {len(pods)} map {{ {among} }}"
    table = maglev_table([pod.key for pod in pods], balancer.table_size, seed=balancer.hash_seed)
    among = ", ".join(f"{slot} : {name(pods[owner])}" for slot, owner in enumerate(table.tolist()))
    return f"jhash {_FLOW} mod {balancer.table_size} seed {_SEED:#x} map {{ {among} }}"


def _hiding(plan: Plan, layout: Layout, node: str) -> Iterator[str]:
    for vip in layout.vips:
        if plan.load_balancer.mode == "snat" and vip.service.policy == "Cluster":
            where = f'oifname "{FABRIC}" ip daddr {POD_NETS} tcp dport {vip.pod_port}'
            yield f"{where} snat ip to {layout.node_addresses[node]}"


def _leaving(plan: Plan, layout: Layout, ups: str) -> Iterator[str]:
    """Answers of pods take the service's address; a RST does only where the speaker's release gives it one."""
    heard = "" if plan.speaker.dsr_reset_reaches_client else "tcp flags & rst == 0 "
    for vip in layout.vips:
        if is_dsr(plan, vip):
            where = f"oifname {ups} ip saddr {POD_NETS} tcp sport {vip.pod_port}"
            yield f"{where} {heard}ip saddr set {vip.address} tcp sport set {SERVICE_PORT}"


def _unknown(plan: Plan, layout: Layout, ups: str) -> Iterator[str]:
    """What conntrack does not know and does not begin with SYN."""
    verdict = {"pick": None, "reset": "reject with tcp reset", "drop": "drop"}[plan.load_balancer.unknown_flow]
    for vip in layout.vips:
        if verdict and not is_dsr(plan, vip):
            yield f"{_to(vip, ups)} ct state new tcp flags & (syn | ack) != syn {verdict}"
