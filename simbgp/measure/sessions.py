"""Metrics of sessions, all at the router's end: how soon a loss is seen, how soon it is mended, how often it comes."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from simbgp.measure.observed import Observed, Question, Value, prefixes_of
from simbgp.timeline import FaultBegan, FaultEnded, SessionChanged, touches


@dataclass(slots=True)
class _Session:
    """The router's end of one session: when it was lost and when it became Established."""

    node: str
    router: str
    up_at_start: bool
    lost_us: list[int] = field(default_factory=list)
    established_us: list[int] = field(default_factory=list)

    def is_up_before(self, time_us: int) -> bool:
        """Whether the session was Established just before ``time_us``."""
        lost = sum(1 for at_us in self.lost_us if at_us < time_us)
        return self.up_at_start + sum(1 for at_us in self.established_us if at_us < time_us) > lost

    def lost_in(self, begin_us: int, end_us: int | None) -> int | None:
        """The first loss from ``begin_us`` on and before ``end_us``."""
        return next((at for at in self.lost_us if at >= begin_us and (end_us is None or at < end_us)), None)


def _sessions(run: Observed, asked: Question) -> list[_Session]:
    """The sessions of the router, service or prefix that ``asked`` names, by node."""
    any_prefix = asked.service is None and asked.prefix is None
    prefixes = prefixes_of(run.plan, asked)
    later = {node.name for node in run.plan.nodes if node.joins or run.plan.cold_start}
    sessions = {
        (peering.node, peering.router): _Session(peering.node, peering.router, peering.node not in later)
        for peering in run.plan.peerings
        if asked.router in (None, peering.router) and (any_prefix or not prefixes.isdisjoint(peering.prefixes))
    }
    for fact in run.timeline.of(SessionChanged):
        session = sessions.get((fact.node, fact.router))
        if session is not None and fact.side == "router":
            if fact.from_state == "established":
                session.lost_us.append(fact.time_us)
            if fact.to_state == "established":
                session.established_us.append(fact.time_us)
    return list(sessions.values())


def _struck(run: Observed, asked: Question) -> Iterator[tuple[FaultBegan, _Session]]:
    """Each occurrence of a fault with each session it touches that was Established until then."""
    of_node: dict[str, list[_Session]] = defaultdict(list)
    sessions = _sessions(run, asked)
    for session in sessions:
        of_node[session.node].append(session)
    for fault in run.began(asked):
        if fault.kind == "backends-down":  # of pods: no session hangs on it
            continue
        near = [session for node in fault.nodes for session in of_node[node]] if fault.nodes else sessions
        for session in near:
            if touches(fault, session.router, session.node) and session.is_up_before(fault.time_us):
                yield fault, session


def _lost_us(run: Observed, fault: FaultBegan, session: _Session) -> int | None:
    """When the router lost the session because of ``fault``: before the next fault that touches it."""
    return session.lost_in(fault.time_us, run.faults.next_after(fault.time_us, session.router, session.node))


def _lasts(run: Observed, fault: FaultBegan, session: _Session) -> bool:
    """Whether ``fault`` still holds the session at the horizon and no other fault has come over it."""
    if run.faults.next_after(fault.time_us, session.router, session.node) is not None:
        return False
    ended = (end for end in run.timeline.of(FaultEnded) if end.fault == fault.fault and end.time_us >= fault.time_us)
    return not any(touches(end, session.router, session.node) for end in ended)


def _slowest(times: list[Value]) -> Value | None:
    if not times:
        return None
    return Value(max(time.value for time in times), any(time.censored for time in times))


def detection_s(run: Observed, asked: Question) -> Value | None:
    """From a fault to the router's loss of the session, the slowest session of all.

    A session that outlives a fault which ends counts for nothing. One that a lasting fault has not cost the router
    by the horizon makes the value a lower bound.
    """
    times = []
    for fault, session in _struck(run, asked):
        lost_us = _lost_us(run, fault, session)
        if lost_us is not None:
            times.append(Value((lost_us - fault.time_us) / 1e6))
        elif _lasts(run, fault, session):
            times.append(Value((run.timeline.horizon_us - fault.time_us) / 1e6, censored=True))
    return _slowest(times)


def reestablish_s(run: Observed, asked: Question) -> Value | None:
    """From a fault that cost the router a session to that session's being Established again, the slowest of all."""
    times = []
    for fault, session in _struck(run, asked):
        lost_us = _lost_us(run, fault, session)
        if lost_us is not None:
            back_us = next((at for at in session.established_us if at >= lost_us), None)
            end_us = run.timeline.horizon_us if back_us is None else back_us
            times.append(Value((end_us - fault.time_us) / 1e6, censored=back_us is None))
    return _slowest(times)


def flaps(run: Observed, asked: Question) -> Value | None:
    """How often routers lost a session."""
    sessions = _sessions(run, asked)
    if not sessions or not run.happened(asked):
        return None
    return Value(float(sum(_because(run, asked, session, at) for session in sessions for at in session.lost_us)))


def _because(run: Observed, asked: Question, session: _Session, time_us: int) -> bool:
    latest = run.faults.latest(time_us, session.router, session.node)
    return asked.fault is None or (latest is not None and latest.fault == asked.fault)
