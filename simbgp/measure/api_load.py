"""What the agents' status reports cost the API server: the patches of CiliumBGPNodeConfig status, each with its time.

Source: cilium ``pkg/bgp/manager/reconciler/crd_status.go@295352e3``. An agent looks every 5 s (normal jitter of 0.5 s)
whether its status differs from what it patched last, and patches if so: what changes and changes back within an
interval is never seen. With the report off an agent sends one patch as it starts, which empties the status.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from simbgp.measure.observed import Observed, Question, Value
from simbgp.scenario.plan import Plan
from simbgp.timeline import AgentChanged, NodeConfigChanged, RouteChanged, SessionChanged, Timeline

INTERVAL_S, JITTER_S = 5.0, 0.5
"""CRDStatusUpdateInterval and its standard deviation."""
_EMPTY: tuple[Any, ...] = ()
_LEAST_S = 1e-3
"""A draw of the jitter below this would be a ticker that does not wait."""


@dataclass(slots=True)
class _Steps:
    """A value that changes at moments: ``values[i]`` from ``times_us[i]`` on."""

    times_us: list[int] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def set(self, time_us: int, value: Any) -> None:
        """The value from now on."""
        if self.values and self.values[-1] == value:
            return
        self.times_us.append(time_us)
        self.values.append(value)

    def at(self, time_us: float) -> Any:
        """The value at a moment."""
        return self.values[bisect_right(self.times_us, time_us) - 1]


@dataclass(slots=True)
class _Session:
    """What an agent knows of one session: state, since when, and the prefixes that it has sent."""

    state: str
    since_us: int
    sent: set[str]

    def shown(self) -> tuple[str, int, int, int]:
        """What the status has of it."""
        six = sum(":" in prefix for prefix in self.sent)
        return self.state, self.since_us, len(self.sent) - six, six


class _Statuses:
    """Every agent's own part of its status over the run, and what each router sends to its peers.

    ``own[node]`` is None while there is no agent, empty without a configuration, else a tuple over its sessions.
    """

    def __init__(self, plan: Plan, timeline: Timeline) -> None:
        self.own: dict[str, _Steps] = {}
        self.heard: dict[str, _Steps] = {}
        self.starts_us: dict[str, list[int]] = defaultdict(list)
        self.routers: dict[str, tuple[str, ...]] = {}
        self._sessions: dict[str, dict[str, _Session]] = {node.name: {} for node in plan.nodes}
        self._up = {node.name: not plan.cold_start and not node.joins for node in plan.nodes}
        self._configured = {node.name: not node.joins for node in plan.nodes}
        joining = {node.name for node in plan.nodes if node.joins}
        for peering in plan.peerings:
            begun = not plan.cold_start and peering.node not in joining
            session = _Session("established" if begun else "idle", 0, set(peering.prefixes) if begun else set())
            self._sessions[peering.node][peering.router] = session
        peers = Counter(peering.router for peering in plan.peerings)
        self._paths = {
            router.name: {p: set(nodes) for p, nodes in timeline.start.next_hops.get(router.name, {}).items()}
            for router in plan.routers
            if peers[router.name] > 1  # a router sends a single peer none of its own routes back
        }
        for name, sessions in self._sessions.items():
            self.own[name], self.routers[name] = _Steps(), tuple(sessions)
            self._note(name, 0)
        for router in plan.routers:
            self.heard[router.name] = _Steps()
            self._note_heard(router.name, 0)
        for fact in timeline:
            self._take(fact)

    def _take(self, fact: object) -> None:
        match fact:
            case AgentChanged():
                self._up[fact.node] = fact.up
                if fact.up:
                    self.starts_us[fact.node].append(fact.time_us)
            case NodeConfigChanged():
                self._configured[fact.node] = fact.exists
            case SessionChanged() if fact.side == "node":
                session = self._sessions[fact.node][fact.router]
                if "established" in (fact.to_state, session.state):
                    session.sent.clear()
                session.state, session.since_us = fact.to_state, fact.time_us
            case RouteChanged():
                self._route_changed(fact)
            case _:
                return
        self._note(fact.node, fact.time_us)

    def _route_changed(self, fact: RouteChanged) -> None:
        table = self._paths.get(fact.router)
        if table is not None and fact.event in ("added", "withdrawn"):
            nodes = table.setdefault(fact.prefix, set())
            (nodes.add if fact.event == "added" else nodes.discard)(fact.node)
            if len(nodes) == (fact.event == "added"):
                self._note_heard(fact.router, fact.time_us)
        session = self._sessions[fact.node].get(fact.router)
        if session is not None and session.state == "established":
            if fact.event in ("added", "refreshed"):
                session.sent.add(fact.prefix)
            elif fact.event == "withdrawn":
                session.sent.discard(fact.prefix)

    def _note(self, name: str, time_us: int) -> None:
        if not self._up[name]:
            self.own[name].set(time_us, None)
        elif not self._configured[name]:
            self.own[name].set(time_us, _EMPTY)
        else:
            self.own[name].set(time_us, tuple(session.shown() for session in self._sessions[name].values()))

    def _note_heard(self, router: str, time_us: int) -> None:
        known = [prefix for prefix, nodes in self._paths.get(router, {}).items() if nodes]
        six = sum(":" in prefix for prefix in known)
        self.heard[router].set(time_us, (len(known) - six, six))

    def at(self, name: str, time_us: float) -> tuple[Any, ...] | None:
        """The status that an agent has to report; None without an agent."""
        own: tuple[Any, ...] | None = self.own[name].at(time_us)
        if not own:
            return own
        return tuple(
            (*session, self.heard[router].at(time_us) if session[0] == "established" else (0, 0))
            for router, session in zip(self.routers[name], own, strict=True)
        )

    def changes_us(self, name: str) -> list[int]:
        """The moments at which it may be another one, in order."""
        moments = {*self.own[name].times_us}
        for router in self.routers[name]:
            moments.update(self.heard[router].times_us)
        return sorted(moments)


def patches_us(run: Observed) -> list[int]:
    """When the API server got a status patch from an agent, in microseconds, in order."""
    statuses = _Statuses(run.plan, run.timeline)
    if not run.plan.status_report:
        return sorted(_clean_ups(run, statuses))
    return sorted(at_us for node in run.plan.nodes for at_us in _of_agent(run, statuses, node.name))


def _clean_ups(run: Observed, statuses: _Statuses) -> Iterator[int]:
    """One for each start of an agent; without a CiliumBGPNodeConfig there is nothing to empty (404)."""
    for node in run.plan.nodes:
        for start_us in statuses.starts_us[node.name]:
            if statuses.own[node.name].at(start_us):
                yield start_us


def _of_agent(run: Observed, statuses: _Statuses, name: str) -> Iterator[int]:
    """The patches of one agent, life by life: a process that starts has reported nothing yet."""
    changes_us = statuses.changes_us(name)
    if len(changes_us) == 1:
        return  # nothing ever happens to it
    horizon_us, starts_us = run.timeline.horizon_us, statuses.starts_us[name]
    begins_us = [0, *starts_us] if statuses.own[name].values[0] is not None else starts_us
    for life, begin_us in enumerate(begins_us):
        end_us = begins_us[life + 1] if life + 1 < len(begins_us) else horizon_us + 1
        was_up = begin_us == 0 and begin_us not in starts_us
        reported = statuses.at(name, 0) if was_up else _EMPTY
        ticks_us = _ticks_us(run, name, life, begin_us, min(end_us, horizon_us + 1), was_up)
        within = [at_us for at_us in changes_us if begin_us <= at_us < end_us]
        for tick in np.unique(np.searchsorted(ticks_us, within)):
            if tick == len(ticks_us):
                continue
            at_us = int(ticks_us[tick])
            status = statuses.at(name, at_us)
            if status is not None and status != reported:
                if status:  # a status without an object to carry it is a 404
                    yield at_us
                reported = status


def _ticks_us(run: Observed, name: str, life: int, begin_us: int, end_us: int, was_up: bool) -> npt.NDArray[np.int64]:
    """When an agent looks, from its start on; one that was up at 0 is anywhere within an interval. Shape (ticks,)."""
    key = blake2b(f"{run.seed}/{run.run}/{name}/{life}/status".encode(), digest_size=16).digest()
    luck = np.random.Generator(np.random.Philox(key=np.frombuffer(key, dtype=np.uint64)))
    phase = luck.random() if was_up else 0.0
    most = int((end_us - begin_us) / 1e6 / INTERVAL_S * 1.5) + 20
    waits_s = np.maximum(luck.normal(INTERVAL_S, JITTER_S, most), _LEAST_S)
    waits_s[0] *= 1 - phase
    ticks_us = begin_us + np.rint(np.cumsum(waits_s) * 1e6).astype(np.int64)
    return ticks_us[ticks_us < end_us]


def per_second(run: Observed) -> Mapping[int, int]:
    """How many patches came in each second of the run in which any came."""
    return Counter(at_us // 1_000_000 for at_us in patches_us(run))


def api_patches(run: Observed, asked: Question) -> Value | None:
    """How many status patches the API server got in all; from whom they came is not told apart."""
    return Value(float(len(patches_us(run)))) if run.happened(asked) else None


def api_patches_per_s(run: Observed, asked: Question) -> Value | None:
    """The most of them in one second."""
    return Value(float(max(per_second(run).values(), default=0))) if run.happened(asked) else None
