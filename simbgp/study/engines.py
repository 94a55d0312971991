"""Where runs are played: one face for the cores of this machine and for many machines."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

Found = TypeVar("Found", bound=Sequence[Sequence[Any]])
_Given = TypeVar("_Given", bound=Sequence[Sequence[Any]], covariant=True)


class Playable(Protocol[_Given]):
    """Work in parts that any process can do, given the work as a whole: it is pickled."""

    def play(self, part: range, tick: Callable[[int], None] | None = None) -> _Given:
        """Do one part; ``tick`` hears of each of the things it gives."""


class EngineError(Exception):
    """Runs cannot be played where they were to be, or no longer."""


class Engine(Protocol):
    """Plays parts of some work; used in a ``with`` block. Every engine gives the same records."""

    def __enter__(self) -> Self:
        """Ready to play."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Parts that have not begun are dropped."""

    def map(
        self, work: Playable[Found], parts: Sequence[range], tick: Callable[[int], None] | None = None
    ) -> Iterator[Found]:
        """Play ``parts``; what they give comes in their order, and ``tick`` hears how many more records there are."""


def engine_at(where: str, jobs: int) -> Engine:
    """The engine ``local`` with ``jobs`` processes, or the Dask scheduler at an address such as ``tcp://host:8786``.

    Raises `EngineError` if there is none.
    """
    if where == "local":
        from simbgp.study.local import Local

        return Local(jobs)
    if not where.startswith(("tcp://", "tls://")):
        raise EngineError(f"unknown engine {where!r}; allowed: local, or a scheduler such as tcp://host:8786")
    from simbgp.study.distributed import Distributed

    return Distributed(where)
