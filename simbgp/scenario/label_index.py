"""Things by their labels, so that a selector looks at those alone that have a label which it wants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from simbgp.scenario.api_objects import LabelSelector

T = TypeVar("T")


class LabelIndex(Generic[T]):
    """Things and their labels, in an order that every answer keeps."""

    def __init__(self, labelled: Iterable[tuple[Mapping[str, str], T]]) -> None:
        self._things: list[T] = []
        self._of_pair: dict[tuple[str, str], set[int]] = {}
        self._of_key: dict[str, set[int]] = {}
        """The places of those that have a label, of some value."""
        for place, (labels, thing) in enumerate(labelled):
            self._things.append(thing)
            for pair in labels.items():
                self._of_pair.setdefault(pair, set()).add(place)
                self._of_key.setdefault(pair[0], set()).add(place)

    def with_all(self, wanted: Mapping[str, str]) -> Iterator[T]:
        """Those that have all of the labels ``wanted``."""
        return self._at([self._of_pair.get(pair, set()) for pair in wanted.items()], [])

    def selected(self, selector: LabelSelector) -> Iterator[T]:
        """Those that the selector matches."""
        among = [self._of_pair.get(pair, set()) for pair in (selector.match_labels or {}).items()]
        without: list[set[int]] = []
        for wanted in selector.match_expressions:
            if wanted.operator in ("Exists", "DoesNotExist"):
                found = self._of_key.get(wanted.key, set())
            else:
                found = set().union(*(self._of_pair.get((wanted.key, v), ()) for v in wanted.values or ()))
            (among if wanted.operator in ("In", "Exists") else without).append(found)
        return self._at(among, without)

    def _at(self, among: Sequence[set[int]], without: Sequence[set[int]]) -> Iterator[T]:
        """The things that are in all of some sets and in none of others, as long as anybody asks for them."""
        first, *others = sorted(among, key=len) or [set(range(len(self._things)))]
        places = first.intersection(*others).difference(*without)
        return (self._things[place] for place in sorted(places))
