"""Which nodes or routers are meant: a name, a list, a range, labels, all of them, or some at random."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

ALLOWED = "allowed: a name, a list of names, worker-[1-20], {matchLabels: {key: value}}, all, {random: 2}"
_RANGE = re.compile(r"\[(\d{1,6})-(\d{1,6})\]")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Selector:
    """What was written; ``names`` are the entries as written, ranges not yet expanded.

    ``everything``: the word ``all``; ``labels``: `matchLabels`; ``random``: how many of all are picked in each run.
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    random: int | None = None
    listed: bool = False
    """Whether a list was written: the place of entry i is then the i-th below the field's."""

    def pick(self, known: "Known") -> tuple[str, ...]:
        """The selected names among ``known``, in its order, unknown ones left out; of all names always one tuple."""
        if self.everything or self.random is not None:
            return known.names
        if self.labels:
            return known.with_all(self.labels)
        wanted = {name for entry in self.names for name in expand(entry) if name in known}
        return tuple(sorted(wanted, key=known.places.__getitem__))

    def unknown(self, known: Mapping[str, object]) -> Iterator[tuple[int, str]]:
        """The place and the name of every name that is not among ``known``; of a range the first only."""
        for place, entry in enumerate(self.names):
            missing = next((name for name in expand(entry) if name not in known), None)
            if missing is not None:
                yield place, missing


class Known(dict[str, Mapping[str, str]]):
    """Names and the labels of each. It is asked by many selectors, and is not changed once it is."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each name, from 0."""
        return {name: place for place, name in enumerate(self)}

    @cached_property
    def _having(self) -> Mapping[tuple[str, str], Mapping[str, None]]:
        """The names that have a label, in their order."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for name, labels in self.items():
            for pair in labels.items():
                found.setdefault(pair, {})[name] = None
        return found

    def with_all(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Those that have all of some labels, of which there is one at least."""
        fewest, *others = sorted((self._having.get(pair, {}) for pair in labels.items()), key=len)
        return tuple(name for name in fewest if all(name in other for other in others))


ALL = Selector(everything=True)


def read_selector(value: object) -> Selector:
    """Reads what `ALLOWED` says. Raises ValueError."""
    if value == "all":
        return ALL
    if isinstance(value, str):
        return Selector(names=(_entry(value),))
    if isinstance(value, Sequence) and value:
        return Selector(names=tuple(_entry(item) for item in value), listed=True)
    if isinstance(value, Mapping) and set(value) == {"matchLabels"}:
        return Selector(labels=_labels(value["matchLabels"]))
    if isinstance(value, Mapping) and set(value) == {"random"}:
        return Selector(random=_count(value["random"]))
    raise ValueError(f"{value!r} selects nothing; {ALLOWED}")


def _entry(value: object) -> str:
    if not isinstance(value, str) or not value or value == "all":
        raise ValueError(f"{value!r} is not a name; {ALLOWED}")
    if _count_of(value) > _MOST:
        raise ValueError(f"{value!r} is too long a range; allowed: {_MOST} names")
    return value


def _labels(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not value or not all(isinstance(text, str) for text in value.values()):
        raise ValueError(f"matchLabels: {value!r} is not a set of labels; allowed: {{key: value}}, numbers in quotes")
    return dict(value)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MOST:
        raise ValueError(f"random: {value!r} is not a number of nodes; allowed: an integer from 1")
    return value


def expand(entry: str) -> Iterator[str]:
    """``worker-[1-3]`` is worker-1, worker-2, worker-3; leading zeros are kept; an empty range gives nothing."""
    parts = _RANGE.split(entry)
    ranges = [_numbers(low, high) for low, high in zip(parts[1::3], parts[2::3], strict=True)]
    for numbers in itertools.product(*ranges):
        yield "".join(itertools.chain.from_iterable(itertools.zip_longest(parts[::3], numbers, fillvalue="")))


def _count_of(entry: str) -> int:
    """How many names there would be."""
    return math.prod(max(0, int(high) - int(low) + 1) for low, high in _RANGE.findall(entry))


def _numbers(low: str, high: str) -> list[str]:
    width = len(low) if low.startswith("0") else 0
    return [str(number).zfill(width) for number in range(int(low), int(high) + 1)]
