"""Looking things up for many connections at once: numbers of epochs, values by epoch and place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
FEW = 24
"""Up to so many bounds a comparison with each is cheaper than a search, whose branches no processor foresees."""
_MANY = 1000
"""From so many values on; a search for fewer takes less than as many calls as there are bounds."""


def rows_where(mask: NDArray[np.bool_]) -> Ints:
    """The rows in which a one-dimensional mask holds (``flatnonzero``, without what that does for any shape)."""
    return mask.nonzero()[0]


def how_many_reached(bounds: NDArray[Any], values: NDArray[Any]) -> Ints:
    """How many of the ascending ``bounds`` are at or below each value (``searchsorted``, side right)."""
    if len(values) < _MANY or len(bounds) > FEW:
        return bounds.searchsorted(values, "right")
    count = np.zeros(len(values), dtype=np.int8)
    for bound in bounds:
        count += (values >= bound).view(np.int8)
    return count.astype(np.int64)


class Lookup:
    """A value for each epoch and place; at place -1, which is none, it is ``nowhere``.

    Most tables hold nothing but zeros, for most of what can happen does not in a given run.
    """

    def __init__(self, table: NDArray[Any], nowhere: int | float | bool) -> None:
        self._dtype = table.dtype
        self._is_zero = not nowhere and not table.any()
        if not self._is_zero:
            padded = np.empty((len(table), table.shape[1] + 1), dtype=table.dtype)
            padded[:, :-1], padded[:, -1] = table, nowhere  # place -1 of a row is the end of the one before
            self._flat, self._width = padded.ravel(), padded.shape[1]

    def at(self, epochs: Ints, places: Ints) -> NDArray[Any]:
        """The value of each epoch and place."""
        if self._is_zero:
            return np.zeros(len(epochs), dtype=self._dtype)
        rows = epochs * self._width
        rows += places
        found: NDArray[Any] = self._flat.take(rows)
        return found
