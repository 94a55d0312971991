"""Clients whose connection broke and that dial again: their next connections, and how these fare."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simbgp.traffic.connections import Connections
from simbgp.traffic.datapath import Bools
from simbgp.traffic.flows import Flows

_MOST = 1000
"""After so many connections in a row that broke a client is taken to give up."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconnects:
    """One row per connection of a population: whether its client got another one (``back``), by then to another
    backend (``elsewhere``), and whether that or one after it broke too (``broken_again``)."""

    back: Bools
    elsewhere: Bools
    broken_again: Bools
    later: tuple[Connections, ...]
    """The connections that were opened instead, those that replaced these, and so on."""


def reconnects(first: Connections, play: Callable[[Flows], Connections]) -> Reconnects:
    """Let the clients of ``first`` dial again as often as their connection breaks; ``play`` runs connections."""
    back, elsewhere, broken_again = np.zeros((3, len(first.lives)), dtype=np.bool_)
    later: list[Connections] = []
    before, roots = first, np.arange(len(first.lives))
    while len(later) < _MOST:
        who, flows = before.dialled_anew()
        if not len(who):
            break
        after, roots = play(flows), roots[who]
        if not later:
            back[roots] = after.is_open
            elsewhere[roots] = after.is_open & (after.backends != before.backends[who])
        broken_again[roots[after.lives.is_broken]] = True
        later.append(after)
        before = after
    return Reconnects(back, elsewhere, broken_again, tuple(later))
