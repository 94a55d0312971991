"""What to measure before an advice is believed: the inputs that move it most and that nobody has counted."""

from collections.abc import Mapping

from simbgp.study.advise.advised import Advised
from simbgp.study.advise.sensitivity import Swing

_MOST = 4
_HOW: Mapping[tuple[str, str], str] = {
    ("rate", "agent-restart"): "count the starts of the cilium container over a quarter, rollouts included",
    ("duration", "agent-restart"): (
        "from the end of the old container until `cilium bgp peers` says established again, image pull included, of at "
        "least 200 restarts: the longest in a hundred decides"
    ),
    ("rate", "agent-crash"): "count cilium containers that ended with an exit code other than 0",
    ("duration", "agent-crash"): (
        "the same after crashes: between starts that fail the kubelet waits 10 s to 5 min (CrashLoopBackOff)"
    ),
    ("rate", "node-down"): "count nodes that went NotReady without a drain",
    ("duration", "node-down"): "how long such nodes stayed away",
    ("rate", "node-drain"): "count reboots and replacements of nodes",
    ("duration", "node-drain"): "from power-off until the node forwards again",
    ("rate", "link-down"): "count carrier losses of the nodes' ports at the routers",
    ("duration", "link-down"): "how long ports stayed down",
    ("rate", "stall"): (
        "count gaps in the agent's scheduling by the second: container_cpu_cfs_throttled_seconds_total, "
        "container_pressure_cpu_waiting_seconds_total"
    ),
    ("duration", "stall"): (
        "how long the longest of these gaps are: one in a thousand decides whether a hold time is too short"
    ),
    ("rate", "router-stall"): "count keepalives of the router that came later than their interval",
    ("duration", "router-stall"): "how late the latest keepalives of the router are",
    ("rate", "router-restart"): "count restarts of the router's BGP process, software upgrades included",
    ("duration", "router-restart"): "how long the router's BGP process is away",
    ("rate", "router-down"): "count router failures over all sites: one site has too few",
    ("duration", "router-down"): "how long routers stayed away",
    ("rate", "operator-down"): "count times in which cilium-operator had no leader",
    ("price", "broken connection"): (
        "ask the owners of the services how long a client needs until a new connection does what the old one did"
    ),
}


def to_measure(found: Advised) -> list[str]:
    """The inputs that are guessed and move the answer, those that turn the advice first, and how to get them."""
    guessed = [swing for swing in found.swings if swing.guessed and swing.size > 0]
    turning = sorted(guessed, key=lambda swing: (not swing.turns(found.chosen), -swing.size))
    lines = [_line(swing, found) for swing in turning[:_MOST]]
    return lines or ["nothing that was guessed moves the answer"]


def _line(swing: Swing, found: Advised) -> str:
    name = f"{swing.of}: {swing.kind}" if swing.kind != "price" else "weight of a broken connection"
    why = "turns the advice" if swing.turns(found.chosen) else "moves the cost, not the advice"
    how = _HOW.get((swing.kind, swing.of), "write down each one in a log with at, kind, node, duration: failures.log")
    return f"{name} ({why}): {how}"
