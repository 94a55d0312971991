"""Runs of the model, read as the observer in the lab read the daemons: seconds since the first failure."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from simbgp import scenario
from simbgp.model import simulate
from simbgp.scenario import Plan, Trial
from simbgp.timeline import RouteChanged, SessionChanged, Timeline
from simbgp.traffic import windows

DATA = Path(__file__).resolve().parent / "data"
AT_S = 200.0
"""When the first failure comes."""
SEED = 11
NODES = 12
"""As in the lab, the router has other sessions, which wake it."""
NODE = "worker-1"
PREFIX = "10.244.1.0/24"
"""What only the failing node announces."""
Row = Mapping[str, str]
Key = TypeVar("Key")
Result = TypeVar("Result")


def read(name: str, folder: Path = DATA) -> list[Row]:
    """A file of measurements."""
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def number(text: str) -> float | None:
    """A measured value; None where there is none."""
    return float(text) if text else None


def measured(rows: Iterable[Row], names: Iterable[str]) -> list[dict[str, float | None]]:
    """The columns of these names, and the length of the observation, as numbers."""
    wanted = ("t_obs", *names)
    return [{name: number(row[name]) for name in wanted} for row in rows]


def cells(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    """Rows that measured the same setting."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def in_parallel(judge: Callable[..., Result], jobs: int, *arguments: Sequence[Any]) -> list[Result]:
    """``map`` over processes."""
    if jobs == 1:
        return list(map(judge, *arguments))
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(judge, *arguments))


# scenarios


def cluster(speaker: str, hold_s: int, keepalive_s: int, nodes: int = NODES) -> dict[str, Any]:
    """Nodes worker-1, ... with PodCIDRs 10.244.1.0/24, ..., whose speaker is a bare gobgpd."""
    return {
        "cilium": speaker,
        "localASN": 65001,
        "nodes": [{"name": f"worker-{i}", "podCIDR": f"10.244.{i}.0/24"} for i in range(1, nodes + 1)],
        "timers": {"connectRetryTimeSeconds": 120, "holdTimeSeconds": hold_s, "keepAliveTimeSeconds": keepalive_s},
    }


def graceful_restart(restart_s: int, notification: bool = True, restart_bit: bool = True) -> dict[str, Any]:
    """The speaker's graceful restart; 0 s is off."""
    if not restart_s:
        return {"enabled": False}
    bits = {"notification": notification, "restartBit": restart_bit}
    return {"enabled": True, "restartTimeSeconds": restart_s, **bits}


def router(profile: str, name: str = "tor-1", direct: bool = False) -> dict[str, Any]:
    """A router as the lab ran it: defaults, but GoBGP's graceful restart switched on."""
    found = {"name": name, "profile": profile, "asn": 65000, "link": "direct" if direct else "switched"}
    if profile.startswith("gobgp"):
        found["gracefulRestart"] = {"helper": True, "notification": True}
    return found


def plan_of(asked: Mapping[str, Any]) -> Plan:
    """The plan of a scenario given as plain values."""
    return scenario.loads(json.dumps({"name": "cell", **asked})).plan()


def with_router(plan: Plan, **changes: Any) -> Plan:
    """The plan with other values in every router's profile: what the lab configured and a scenario does not name."""
    return replace(plan, routers=tuple(replace(r, profile=replace(r.profile, **changes)) for r in plan.routers))


# runs


@dataclass(frozen=True)
class Run:
    """One run of the model."""

    plan: Plan
    timeline: Timeline

    def downs(self, side: str, router: str = "tor-1", nodes: Sequence[str] = (NODE,)) -> list[float]:
        """When this end lost the session."""
        return [at for at, fact in self._sessions(side, router, nodes) if fact.from_state == "established"]

    def ups(self, side: str, router: str = "tor-1", nodes: Sequence[str] = (NODE,)) -> list[float]:
        """When this end became Established."""
        return [at for at, fact in self._sessions(side, router, nodes) if fact.to_state == "established"]

    def routes(self, event: str, router: str = "tor-1", prefix: str = PREFIX) -> list[float]:
        """When a path of the prefix entered (``added``) or left (``withdrawn``) the FIB."""
        facts = (fact for fact in self.timeline.of(RouteChanged) if fact.event == event)
        return [
            since(f.time_us) for f in facts if f.prefix == prefix and f.router == router and f.time_us >= AT_S * 1e6
        ]

    def spent_s(self, causes: Sequence[str], seen_s: float, router: str = "tor-1", prefix: str = PREFIX) -> float:
        """How long the prefix lost traffic for one of these causes while somebody looked."""
        total_s = 0.0
        for window in self._windows:
            if window.router == router and window.prefix == prefix and window.cause in causes:
                end_s = seen_s if window.end_us is None else min(seen_s, since(window.end_us))
                total_s += max(0.0, end_s - max(0.0, since(window.start_us)))
        return total_s

    @cached_property
    def _windows(self) -> list[Any]:
        return windows(self.plan, self.timeline)

    def _sessions(self, side: str, router: str, nodes: Sequence[str]) -> Iterable[tuple[float, SessionChanged]]:
        for fact in self.timeline.of(SessionChanged):
            if fact.side == side and fact.router == router and fact.node in nodes and fact.time_us >= AT_S * 1e6:
                yield since(fact.time_us), fact


def since(time_us: int) -> float:
    """Seconds since the first failure."""
    return time_us / 1e6 - AT_S


def play(plan: Plan, runs: int) -> list[Run]:
    """Draw and simulate the plan ``runs`` times."""
    return [Run(plan, simulate(trial)) for trial in trials(plan, runs)]


def trials(plan: Plan, runs: int) -> list[Trial]:
    """The draws of the plan that are scored."""
    return [scenario.draw(plan, SEED, run) for run in range(runs)]


def first(times: Sequence[float], seen_s: float, after: float | None = -1.0) -> float | None:
    """The first of ``times`` from ``after`` on that was seen; nothing follows what did not happen (None)."""
    return None if after is None else next((at for at in sorted(times) if after <= at <= seen_s), None)


LOST = ("link", "dead-next-hop")
"""Causes of loss that the lab's probes saw as unanswered."""


def values(run: Run, seen_s: float, router: str = "tor-1") -> dict[str, float | None]:
    """What an observer of this run would have noted who stopped looking ``seen_s`` after the failure."""
    down = first(run.downs("router", router), seen_s)
    gone = first(run.routes("withdrawn", router), seen_s)
    node_down = first(run.downs("node", router), seen_s)
    return {
        "t_session_down": down,
        "t_node_down": node_down,
        "t_node_up": first(run.ups("node", router), seen_s, node_down),
        "t_route_withdrawn": gone,
        "t_reestablished": first(run.ups("router", router), seen_s, down),
        "t_route_back": first(run.routes("added", router), seen_s, gone),
        "lost_s": run.spent_s(LOST, seen_s, router),
        "no_route_s": run.spent_s(("no-route",), seen_s, router),
    }
