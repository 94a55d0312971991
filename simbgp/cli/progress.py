"""A bar on standard error for studies that last longer than a second."""

import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_PATIENCE_S = 1.0


class Bar:
    """Told ``(done, total)`` after each run; draws nothing if not ``wanted``, or on no terminal."""

    def __init__(self, label: str, wanted: bool = True) -> None:
        self._label = label
        self._wanted = wanted and sys.stderr.isatty()
        self._since_s = monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """Move the bar to ``done``; it appears after the first second."""
        if not self._wanted or (self._bar is None and monotonic() - self._since_s < _PATIENCE_S):
            return
        if self._bar is None or self._task is None:
            self._bar, self._task = self._drawn(total)
        self._bar.update(self._task, completed=done, total=total)

    def _drawn(self, total: int) -> "tuple[Progress, TaskID]":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
        from rich.text import Text

        class Rate(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text("" if task.speed is None else f"{task.speed:.0f}/s")

        shown = ("{task.description}", BarColumn(), MofNCompleteColumn(), "runs", Rate(), TimeRemainingColumn())
        bar = Progress(*shown, console=Console(stderr=True, get_time=monotonic), transient=True)
        bar.start()
        return bar, bar.add_task(self._label, total=total)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
