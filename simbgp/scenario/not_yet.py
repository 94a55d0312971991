"""What a scenario may say one day and may not say now: refused by name, never accepted and ignored."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from simbgp.profiles import router_names, speaker_names
from simbgp.scenario.errors import Path, Problem
from simbgp.scenario.yaml_tree import Tree


@dataclass(frozen=True, slots=True)
class NotYet:
    """A place (``*`` is every list entry), the values of it that wait (None: all), and what can be had instead."""

    place: str
    values: Collection[object] | None
    supported: str


_FAULTS = (
    "agent-crash, agent-restart, node-down, unlabel, peer-shutdown, session-reset, link-down, link-loss, router-down, "
    "router-restart, stall"
)
_LATER_FAULTS = ("agent-upgrade", "node-drain", "operator-down", "backends-down")
_LATER_ROUTERS = ("frr-10", "bird-2.0", "openbgpd-7.7", "sonic", "junos", "eos", "nxos", "iosxr", "srlinux")
_LATER_SPEAKERS = [f"1.{minor}" for minor in (13, 14, 15, 16, 17, 19)]
_ROUTER = (
    NotYet("profile", [name for name in _LATER_ROUTERS if name not in router_names()], ", ".join(router_names())),
    NotYet("bfd.enabled", [True], "false"),
    NotYet("ecmp.hash", ["hrw", "resilient"], "modulo, hash-threshold"),
    NotYet("ecmp.buckets", None, "ecmp.hash"),
    NotYet("ecmp.idleTimer", None, "ecmp.hash"),
    NotYet("ecmp.unbalancedTimer", None, "ecmp.hash"),
    NotYet("ecmp.onChange", None, "ecmp.hash"),
    NotYet("ecmp.maximumPaths", None, "ecmp.hash"),
    NotYet("neighbourCheck", None, "the router forwards to a silent node until BGP says otherwise"),
)
_OF_ROUTERS = tuple(
    NotYet(f"{prefix}.{entry.place}", entry.values, entry.supported)
    for prefix in ("routers.*", "cluster.racks.router")
    for entry in _ROUTER
)
NOT_YET = (
    NotYet("cluster.cilium", [n for n in _LATER_SPEAKERS if n not in speaker_names()], ", ".join(speaker_names())),
    NotYet("cluster.from", None, "cluster.manifests, or the cluster written here"),
    NotYet("cluster.placement", None, "backends: a number, or a list of {node, name}"),
    NotYet("cluster.advertise.*", ["ExternalIP", "ClusterIP", "CiliumPodIPPool"], "PodCIDR, LoadBalancerIP"),
    NotYet("cluster.loadBalancer.mode", ["hybrid"], "snat, dsr"),
    NotYet("cluster.kubernetes.evictionTimeout", None, "nodeMonitorGracePeriod, endpointPropagation"),
    *_OF_ROUTERS,
    NotYet("fabric", None, "routers alone; clients enter at all of them in equal shares"),
    NotYet("traffic.*.client.profile", ["linux-6.4"], "linux-6.5"),
    NotYet("traffic.*.requests.poisson", None, "periodic requests like 1/s"),
    NotYet("faults.*.kind", _LATER_FAULTS, _FAULTS),
    NotYet("slo.*.metric", ["procedure_s"], "every other metric"),
)


def waiting(path: Path) -> Collection[object]:
    """The values at ``path`` that are refused."""
    return [value for entry in NOT_YET if _same(entry.place, path) for value in entry.values or ()]


def waits(path: Path) -> bool:
    """Whether whatever stands at ``path`` is refused."""
    return any(entry.values is None and _same(entry.place, path) for entry in NOT_YET)


def _same(place: str, path: Path) -> bool:
    parts = place.split(".")
    return len(parts) == len(path) and all(a in ("*", b) for a, b in zip(parts, path, strict=True))


def refuse(tree: Tree) -> Iterator[Problem]:
    """What of ``tree`` is not supported yet."""
    for entry in NOT_YET:
        for path, value in _find(tree.data, entry.place.split("."), ()):
            if entry.values is None and value not in (None, [], {}):
                yield _problem(tree, path, path[-1], entry.supported, at_key=True)
            elif entry.values is not None and isinstance(value, str | bool) and value in entry.values:
                yield _problem(tree, path, value, entry.supported)
    for path, value in _find(tree.data, ["faults", "*", "share"], ()):
        if value not in (1, "100%"):
            yield _problem(tree, path, value, "1, all packets")


def _problem(tree: Tree, path: Path, what: object, supported: str, *, at_key: bool = False) -> Problem:
    word = str(what).lower() if isinstance(what, bool) else what
    return tree.problem(path, f"'{word}' is not supported yet; supported: {supported}", at_key=at_key)


def _find(data: Any, place: list[str], path: Path) -> Iterator[tuple[Path, Any]]:
    if not place:
        yield path, data
    elif place[0] == "*" and isinstance(data, list):
        for i, item in enumerate(data):
            yield from _find(item, place[1:], (*path, i))
    elif isinstance(data, dict) and place[0] in data:
        yield from _find(data[place[0]], place[1:], (*path, place[0]))
