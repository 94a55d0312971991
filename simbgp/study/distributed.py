"""Runs on the workers of a Dask scheduler (https://distributed.dask.org)."""

import math
import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, cast
from uuid import uuid4

from simbgp._version import __version__
from simbgp.study.engines import EngineError, Found, Playable

_PATIENCE_S = 10
_MOST_LOSSES = 10
"""So many times one part is begun again after the death of the worker that had it."""

_one_at_a_time = Lock()
"""A worker with several threads gains nothing from playing in more than one."""


class Distributed:
    """The workers of the scheduler at ``address``; a lost worker costs the parts that it had.

    Raises `EngineError` without the extra ``distributed``, a scheduler there or a worker.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            from distributed import Client
        except ImportError:
            raise EngineError(f"{address}: Dask is not installed; pip install 'simbgp[distributed]'") from None
        if address.startswith("tls://") and not _has_certificate():
            raise EngineError(f"no certificate for {address}: set distributed.comm.tls of Dask, see docs/trust.md")
        try:
            self._client: Any = cast(Any, Client)(address, timeout=_PATIENCE_S, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise EngineError(f"no scheduler answers at {address}: {_short(error)}") from None
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError:
            self._client.close()
            raise EngineError(f"the scheduler at {address} has no workers") from None

    def __enter__(self) -> "Distributed":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError, TimeoutError):
            self._client.close()

    def map(
        self, work: Playable[Found], parts: Sequence[range], tick: Callable[[int], None] | None = None
    ) -> Iterator[Found]:
        """Play ``parts``; what they give comes in their order. ``tick`` hears how many more records there are.

        Raises whatever a run raises, and `EngineError` if the scheduler is lost or a part kills every worker.
        """
        from concurrent.futures import CancelledError

        payload = pickle.dumps(work)
        study = f"{blake2b(payload, digest_size=8).hexdigest()}-{uuid4().hex[:8]}"
        # a task and not scattered data: if the worker that holds it dies, the scheduler makes it again
        shared = self._client.submit(pickle.loads, payload, key=f"simbgp-batch-{study}")
        waiting, flying, most = deque(parts), deque[tuple[range, Any]](), _Limit(self._most_in_flight)
        try:
            while waiting or flying:
                while waiting and len(flying) < most():
                    flying.append((waiting[0], self._submit(shared, waiting.popleft(), study)))
                part, future = flying.popleft()
                found = self._found(shared, part, future, study)
                if tick is not None:
                    tick(sum(map(len, found)))
                yield found
        except (OSError, CancelledError) as error:
            raise EngineError(f"the scheduler at {self._address} is lost: {_short(error)}") from None
        finally:
            for _, future in flying:
                future.release()

    def _most_in_flight(self) -> int:
        threads: dict[str, int] = self._client.nthreads()
        return 2 * sum(threads.values()) + 2

    def _submit(self, shared: Any, part: range, study: str, again: int = 0) -> Any:
        key = f"simbgp-runs-{part.start}-{part.stop}-{study}-{again}"
        return self._client.submit(_play, shared, part, __version__, key=key, pure=False)

    def _found(self, shared: Any, part: range, future: Any, study: str) -> Any:
        from distributed import KilledWorker

        for again in range(1, _MOST_LOSSES + 1):
            try:
                return pickle.loads(future.result())
            except KilledWorker:
                future = self._submit(shared, part, study, again)
        raise EngineError(f"runs {part.start} to {part.stop - 1} ended every worker that tried them; out of memory?")


class _Limit:
    """A number that is asked for anew once a second: the scheduler is not asked for each part."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask, self._known, self._asked_s = ask, 0, -math.inf

    def __call__(self) -> int:
        if monotonic() - self._asked_s > 1:
            self._known, self._asked_s = self._ask(), monotonic()
        return self._known


def _has_certificate() -> bool:
    """Whether Dask has one for clients; without, its client would go on trying, and end in a traceback at the exit."""
    from distributed.security import Security

    arguments: dict[str, Any] = cast(Any, Security)().get_connection_args("client")
    return arguments.get("ssl_context") is not None


def _play(work: Playable[Any], part: range, version: str) -> bytes:
    """What ``part`` gives, pickled here: Dask's own pickler calls back into Python for each object in it."""
    if version != __version__:
        raise EngineError(f"a worker has simbgp {__version__}, this is {version}: they would not agree")
    with _one_at_a_time:
        return pickle.dumps(work.play(part), pickle.HIGHEST_PROTOCOL)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
