"""``sort.Slice`` of Go as it orders things by a ``less`` that need not be an order: Cilium's tools have such ones.

Go sorts up to 12 items by insertion and more by a pattern-defeating quicksort (O. Peters, arXiv:2106.05123); which item
is compared with which follows sort/zsortfunc.go of Go 1.19 and later, so that the outcome is Go's for any ``less``.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
_INSERTION, _NINTHER, _PARTIAL_STEPS = 12, 50, 5
_MOST_SWAPS = 12
_WORD = (1 << 64) - 1


def sorted_slice(items: Sequence[T], less: Callable[[T, T], bool]) -> list[T]:
    """``items`` as ``sort.Slice`` leaves them."""
    found = list(items)
    _Slice(found, less).sort(0, len(found), len(found).bit_length())
    return found


def in_order(items: Sequence[T], key: Callable[[T], Any]) -> list[T]:
    """``items`` by a key, as ``sort.Slice`` and ``slices.SortFunc`` leave them: not stable above 12."""
    return sorted_slice(items, lambda a, b: bool(key(a) < key(b)))


class _Slice:
    """A list, its comparisons by place, and its swaps."""

    def __init__(self, items: list[T], less: Callable[[T, T], bool]) -> None:
        self._items = items
        self._less = less

    def less(self, i: int, j: int) -> bool:
        return self._less(self._items[i], self._items[j])

    def swap(self, i: int, j: int) -> None:
        self._items[i], self._items[j] = self._items[j], self._items[i]

    def sort(self, first: int, end: int, limit: int) -> None:
        """The part from ``first`` to before ``end``; after ``limit`` bad pivots by heap."""
        balanced = partitioned = True
        while end - first > _INSERTION:
            if limit == 0:
                self._heap_sort(first, end)
                return
            if not balanced:
                self._break_patterns(first, end)
                limit -= 1
            pivot, swaps = self._choose_pivot(first, end)
            if swaps == _MOST_SWAPS:
                self._items[first:end] = self._items[first:end][::-1]
                pivot = (end - 1) - (pivot - first)
            looks_sorted = swaps in (0, _MOST_SWAPS)
            if balanced and partitioned and looks_sorted and self._insert_few(first, end):
                return
            if first > 0 and not self.less(first - 1, pivot):
                first = self._partition_equal(first, end, pivot)
                continue
            middle, partitioned = self._partition(first, end, pivot)
            left, right = middle - first, end - middle
            balanced = min(left, right) >= (end - first) // 8
            if left < right:
                self.sort(first, middle, limit)
                first = middle + 1
            else:
                self.sort(middle + 1, end, limit)
                end = middle
        self._insert(first, end)

    def _insert(self, first: int, end: int) -> None:
        for i in range(first + 1, end):
            j = i
            while j > first and self.less(j, j - 1):
                self.swap(j, j - 1)
                j -= 1

    def _insert_few(self, first: int, end: int) -> bool:
        """Whether the part is in order after at most a few items were moved."""
        i = first + 1
        for _ in range(_PARTIAL_STEPS):
            while i < end and not self.less(i, i - 1):
                i += 1
            if i == end:
                return True
            if end - first < _NINTHER:
                return False
            self.swap(i, i - 1)
            if i - first >= 2:
                self._shift(range(i - 1, 0, -1))
            if end - i >= 2:
                self._shift(range(i + 1, end))
        return False

    def _shift(self, places: range) -> None:
        for j in places:
            if not self.less(j, j - 1):
                return
            self.swap(j, j - 1)

    def _partition(self, first: int, end: int, pivot: int) -> tuple[int, bool]:
        """The pivot's place with the lesser before it, and whether that was so already."""
        self.swap(first, pivot)
        i, j = self._meet(first, first + 1, end - 1)
        if i > j:
            self.swap(j, first)
            return j, True
        while i <= j:
            self.swap(i, j)
            i, j = self._meet(first, i + 1, j - 1)
        self.swap(j, first)
        return j, False

    def _meet(self, pivot: int, i: int, j: int) -> tuple[int, int]:
        while i <= j and self.less(i, pivot):
            i += 1
        while i <= j and not self.less(j, pivot):
            j -= 1
        return i, j

    def _partition_equal(self, first: int, end: int, pivot: int) -> int:
        """The end of those that equal the pivot, none of which is less than it."""
        self.swap(first, pivot)
        i, j = first + 1, end - 1
        while True:
            while i <= j and not self.less(first, i):
                i += 1
            while i <= j and self.less(first, j):
                j -= 1
            if i > j:
                return i
            self.swap(i, j)
            i, j = i + 1, j - 1

    def _choose_pivot(self, first: int, end: int) -> tuple[int, int]:
        """A place, and how many of the comparisons for it were the wrong way round."""
        length = end - first
        places = [first + length // 4 * quarter for quarter in (1, 2, 3)]
        swaps = 0
        if length >= _NINTHER:
            for n, place in enumerate(places):
                places[n], swaps = self._median(place - 1, place, place + 1, swaps)
        return self._median(places[0], places[1], places[2], swaps)

    def _median(self, a: int, b: int, c: int, swaps: int) -> tuple[int, int]:
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        if self.less(c, b):
            b, c, swaps = c, b, swaps + 1
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        return b, swaps

    def _break_patterns(self, first: int, end: int) -> None:
        """Three swaps by a generator (xorshift64) that is seeded with the length."""
        length = word = end - first
        mask, middle = (1 << length.bit_length()) - 1, first + length // 4 * 2 - 1
        for n in range(3):
            word ^= word << 13 & _WORD
            word ^= word >> 7
            word ^= word << 17 & _WORD
            other = word & mask
            self.swap(middle - 1 + n, first + (other - length if other >= length else other))

    def _heap_sort(self, first: int, end: int) -> None:
        length = end - first
        for root in range((length - 1) // 2, -1, -1):
            self._sift_down(root, length, first)
        for last in range(length - 1, -1, -1):
            self.swap(first, first + last)
            self._sift_down(0, last, first)

    def _sift_down(self, root: int, end: int, first: int) -> None:
        while (child := 2 * root + 1) < end:
            if child + 1 < end and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child
