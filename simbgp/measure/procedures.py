"""How long a procedure takes, from its beginning to the end of its last step."""

from collections import defaultdict
from collections.abc import Iterator

from simbgp.measure.observed import Observed, Question, Value
from simbgp.timeline import FaultBegan, ProcedureEnded

_PROCEDURES = ("node-drain", "agent-upgrade")


def procedure_s(run: Observed, asked: Question) -> Value | None:
    """From the beginning of a drain or a rollout to its end, the longest of all; without an end by the horizon at least
    until then."""
    times = [time for fault, began in _begun(run, asked).items() for time in _times(run, fault, began)]
    return max(times, key=lambda time: (time.value, time.censored), default=None)


def _begun(run: Observed, asked: Question) -> dict[str | int, list[FaultBegan]]:
    began = defaultdict(list)
    for fault in run.began(asked):
        if fault.kind in _PROCEDURES:
            began[fault.fault].append(fault)
    return began


def _times(run: Observed, fault: str | int, began: list[FaultBegan]) -> Iterator[Value]:
    """A drain begins at all its nodes together and ends at each; a rollout begins at each node and ends once."""
    ends_us = [end.time_us for end in run.timeline.of(ProcedureEnded) if end.fault == fault]
    if began[0].kind == "node-drain":
        starts_us = [each.time_us for each in began for _ in each.nodes]
    else:
        starts_us = [each.time_us for each in began]
        after = [next((at for at in starts_us if at >= end), None) for end in ends_us]
        starts_us = [starts_us[0], *(at for at in after if at is not None)]
    horizon_us = run.timeline.horizon_us
    for place, start_us in enumerate(starts_us):
        ended = place < len(ends_us)
        yield Value(((ends_us[place] if ended else horizon_us) - start_us) / 1e6, censored=not ended)
