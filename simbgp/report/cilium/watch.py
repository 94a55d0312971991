"""``simbgp show ... --watch``: a table at each moment of a run at which it is another one, or every so often."""

from collections.abc import Iterator

from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.of_run import NoAgentError, table_of_run
from simbgp.report.cilium.replay import Replay
from simbgp.report.cilium.snapshot import Snapshot


def watch(asked: Asked, replay: Replay, every_us: int | None) -> Iterator[tuple[int, str]]:
    """Moment (microseconds) and text, from where ``replay`` stands to the horizon.

    That all ages grow is no change: compared is the table before the facts of a moment with that after them. Raises
    ValueError for bad arguments; where no agent answers the text is empty.
    """
    asked.check()
    now = Snapshot(replay)
    yield replay.at_us, _text(asked, now)
    if every_us is not None:
        for at_us in range(replay.at_us + every_us, replay.plan.horizon_us + 1, every_us):
            replay.advance(at_us)
            yield at_us, _text(asked, now)
        return
    for at_us in replay.moments():
        replay.at_us = at_us
        before = _text(asked, now)
        replay.advance(at_us)
        after = _text(asked, now)
        if after != before:
            yield at_us, after


def _text(asked: Asked, now: Snapshot) -> str:
    try:
        return table_of_run(asked, now)
    except NoAgentError:
        return ""
