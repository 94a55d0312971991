"""How long to wait before power-off, as text."""

from collections.abc import Iterator, Sequence

from simbgp.measure.units import seconds, with_interval
from simbgp.study.waiting import OfProfile, Waiting, WayOut


def wait_lines(found: Waiting, file: str) -> list[str]:
    """The answer, what it hangs on, and how to find that out."""
    taken, *others = found.ways
    if not taken.profiles:
        return [f"no router has a session with {taken.node}: nothing to wait for"]
    runs = taken.worst.estimate.runs
    counted = "every run is the same" if taken.worst.estimate.confidence is None else f"{runs} runs, seed {found.seed}"
    lines = [f"from unlabelling {taken.node} until no router forwards to it, {found.p:g} % quantile of {counted}", ""]
    lines += [line for profile in taken.profiles for line in _of_profile(profile)]
    differing = _telling(taken, others)
    lines += [line for way in differing for line in _of_way(way)]
    asks = dict.fromkeys(choice.switch.ask for way in differing for choice in way.choices)
    lines += [f"  find out: {ask}" for ask in asks]
    return [*lines, "", *_answer(found, file)]


def _telling(taken: WayOut, others: Sequence[WayOut]) -> list[WayOut]:
    """The ways that give another answer, each with the fewest choices that do."""
    different = [way for way in others if _shown(way) != _shown(taken)]
    return [way for way in different if not any(_says_it_with_fewer(other, way) for other in different)]


def _says_it_with_fewer(other: WayOut, way: WayOut) -> bool:
    fewer = len(other.choices) < len(way.choices) and all(choice in way.choices for choice in other.choices)
    return fewer and _shown(other) == _shown(way)


def _of_profile(found: OfProfile) -> Iterator[str]:
    quantile = with_interval("wait_s", found.estimate)
    yield f"  {found.profile} ({', '.join(found.routers)})  {quantile}"
    if found.closed is not None:
        yield f"    closed form {found.closed.low:.4g} .. {found.closed.high:.4g} s: {found.closed.text}"
    yield f"    decides: {found.decides}"


def _of_way(way: WayOut) -> Iterator[str]:
    labels = " and ".join(f"{choice.owner} {choice.alternative.label}" for choice in way.choices)
    yield f"  {labels}: {_shown(way)}"
    yield f"    decides: {way.worst.decides}"


def _shown(way: WayOut) -> str:
    return with_interval("wait_s", way.worst.estimate)


def _answer(found: Waiting, file: str) -> Iterator[str]:
    whole = found.whole_seconds
    if whole is None:
        yield "WAIT  some router never forgets the node: look at it before you switch the node off"
    else:
        yield f"WAIT  {seconds(whole)}      in a script: sleep $(simbgp wait {file} --quiet)"
