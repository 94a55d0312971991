"""How each connection ended, and the rows that a prediction has: counts of outcomes over the run and by fault."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simbgp.scenario import Plan
from simbgp.timeline import FaultBegan, Timeline
from simbgp.traffic import ServiceOutcome

Fate = Literal["unaffected", "delayed", "reset", "timed_out", "not_opened"]
FATES: tuple[Fate, ...] = ("unaffected", "delayed", "reset", "timed_out", "not_opened")
Record = Mapping[str, Any]
"""A line of `dial`."""
IsDead = Callable[[Record], bool]
"""Whether a connection that still waits in the end waits for nothing: its backend is gone, or a packet of it arrives
and is not answered. Else only a hole, which may yet end, is in its way."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One client: how its first connection ended, when its trouble began, how long it waited, and what it did then."""

    service: str
    fate: Fate
    refused: bool
    since_s: float
    delay_s: float
    connect_delay_s: float
    moved: bool
    move_fault: str | int | None
    reconnected: bool = False
    elsewhere: bool = False
    broken_again: bool = False


def fate_of(record: Record, is_dead: IsDead) -> Fate:
    """The outcome of one connection; a delay is what TCP made up for, never a late process."""
    if record["opened_s"] is None:
        return "not_opened"
    if record["end"] in ("reset", "timed_out"):
        return "reset" if record["end"] == "reset" else "timed_out"
    if record["end"] is None and record["asked_s"] is not None:
        return "timed_out" if is_dead(record) else "delayed"
    return "delayed" if record["late_opening"] or record["waited_s"] > 0 else "unaffected"


def ended(
    records: Sequence[Record], moves: Callable[[Record], tuple[bool, str | int | None]], is_dead: IsDead, end_s: float
) -> Iterator[Ended]:
    """Each client of one router; ``moves`` says whether a flow met two nodes, and under which fault it did."""
    later: dict[int, list[Record]] = {}
    for record in records:
        if record["again"]:
            later.setdefault(record["place"], []).append(record)
    for record in records:
        if record["again"] or record["dialled_s"] is None:
            continue
        fate, after = fate_of(record, is_dead), sorted(later.get(record["place"], []), key=lambda each: each["again"])
        moved, fault = moves(record)
        yield Ended(
            record["service"],
            fate,
            record["end"] == "refused",
            _since(record),
            *(_delays(record, end_s) if fate == "delayed" else (0.0, 0.0)),
            moved,
            fault,
            reconnected=bool(after) and after[0]["opened_s"] is not None,
            elsewhere=bool(after) and _differ(record["backend"], after[0]["backend"]),
            broken_again=any(fate_of(each, is_dead) in ("reset", "timed_out") for each in after),
        )


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _since(record: Record) -> float:
    """When its trouble began: the request that was not answered at once, else its dial, else its end."""
    for key in ("asked_s", "waited_since_s"):
        if record[key] is not None:
            return float(record[key])
    if record["opened_s"] is None or record["late_opening"]:
        return float(record["dialled_s"])
    return float(record["ended_s"] or 0.0)


def _delays(record: Record, end_s: float) -> tuple[float, float]:
    """The longest wait of a connection that was open, and what opening took if that was late."""
    waiting = end_s - record["asked_s"] if record["end"] is None and record["asked_s"] is not None else 0.0
    opening = record["opened_s"] - record["dialled_s"] if record["late_opening"] else 0.0
    return max(float(record["waited_s"]), waiting), opening


def outcomes_of(plan: Plan, timeline: Timeline, clients: Sequence[Ended]) -> list[ServiceOutcome]:
    """For each service with traffic a row over the whole run, then one per fault that occurred.

    A client's trouble is put down to the latest fault that had begun by then.
    """
    began = timeline.of(FaultBegan)
    names = list(dict.fromkeys(fault.fault for fault in began))
    rows = []
    for traffic in plan.traffic:
        mine = [client for client in clients if client.service == traffic.service]
        rows.append(_row(traffic.service, None, mine, mine, traffic.reconnects, whole=True))
        for name in names:
            hurt = [c for c in mine if c.fate != "unaffected" and _fault_at(began, c.since_s) == name]
            moved = [client for client in mine if client.moved and client.move_fault == name]
            rows.append(_row(traffic.service, name, hurt, moved, traffic.reconnects, whole=False, total=len(mine)))
    return rows


def _fault_at(began: Sequence[FaultBegan], time_s: float) -> str | int | None:
    past = [fault.fault for fault in began if fault.time_us / 1e6 <= time_s]
    return past[-1] if past else next((fault.fault for fault in began), None)


def _row(
    service: str,
    fault: str | int | None,
    clients: Sequence[Ended],
    moving: Sequence[Ended],
    reconnects: bool,
    *,
    whole: bool,
    total: int | None = None,
) -> ServiceOutcome:
    many = {fate: sum(client.fate == fate for client in clients) for fate in FATES}
    again = [sum(getattr(c, name) for c in clients) for name in ("reconnected", "elsewhere", "broken_again")]
    delays = [[getattr(c, name) for c in clients if getattr(c, name) > 0] for name in ("delay_s", "connect_delay_s")]
    return ServiceOutcome(
        service=service,
        fault=fault,
        total=len(clients) if total is None else total,
        moved=sum(client.moved for client in moving),
        **many if whole else many | {"unaffected": 0},
        refused=sum(client.refused for client in clients),
        delay_s=np.array(delays[0], dtype=np.float64),
        connect_delay_s=np.array(delays[1], dtype=np.float64),
        reconnected=again[0] if reconnects else None,
        elsewhere=again[1] if reconnects else None,
        broken_again=again[2] if reconnects else None,
    )
