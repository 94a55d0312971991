"""What is lost where, second by second, from the windows of a run."""

from collections.abc import Iterable
from itertools import groupby

from simbgp.report.numbers import listed, percent
from simbgp.report.page.tracks import Tracks
from simbgp.report.spans import Span
from simbgp.scenario import Plan

_MOST_NAMES = 4
_NOTHING = "none lost"


def write_losses(plan: Plan, tracks: Tracks, holes: Iterable[Span]) -> None:
    """Add ``entry ROUTER SERVICE`` (``whole`` or ``holed``) and the sentence ``says lost ROUTER`` to the tracks."""
    open_now: dict[str, dict[str, Span]] = {router.name: {} for router in plan.routers}
    for router in open_now:
        tracks.begin(f"says lost {router}", _NOTHING)
        for service in plan.services:
            tracks.begin(f"entry {router} {service.name}", "whole")
    for time_us, moves in groupby(_moves(holes), key=lambda move: move[0]):
        touched = set()
        for _, begins, hole in moves:
            touched.add(hole.router)
            if begins:
                open_now[hole.router][hole.prefix] = hole
            else:
                open_now[hole.router].pop(hole.prefix, None)
        for router in sorted(touched):
            _tell(plan, tracks, router, time_us, open_now[router])


def _moves(holes: Iterable[Span]) -> list[tuple[int, bool, Span]]:
    """Beginnings (True) and ends in order; at one instant ends come first, for windows of a prefix may touch."""
    every = list(holes)
    moves = [(round(hole.start_s * 1e6), True, hole) for hole in every]
    moves += [(round(hole.end_s * 1e6), False, hole) for hole in every if hole.end_s is not None]
    return sorted(moves, key=lambda move: (move[0], move[1]))


def _tell(plan: Plan, tracks: Tracks, router: str, time_us: int, holes: dict[str, Span]) -> None:
    told = [_loses(hole.service or prefix, hole) for prefix, hole in holes.items()]
    tracks.set(f"says lost {router}", time_us, listed(sorted(told), _MOST_NAMES) or _NOTHING)
    for service in plan.services:
        holed = any(hole.service == service.name for hole in holes.values())
        tracks.set(f"entry {router} {service.name}", time_us, "holed" if holed else "whole")


def _loses(what: str, hole: Span) -> str:
    share = "all its traffic" if hole.share == 1 else f"{percent(hole.share)} of its traffic"
    return f"{what} loses {share} ({hole.cause})"
