"""Things by their labels, so that a selector looks at those alone that have a label which it wants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from simbgp.scenario.crds import LabelSelector

T = TypeVar("T")


class LabelIndex(Generic[T]):
    """Things and their labels, in an order that every answer keeps."""

    def __init__(self, labelled: Iterable[tuple[Mapping[str, str], T]]) -> None:
        self._labelled = tuple(labelled)
        self._having: dict[tuple[str, str], list[int]] = {}
        for place, (labels, _) in enumerate(self._labelled):
            for pair in labels.items():
                self._having.setdefault(pair, []).append(place)

    def with_all(self, wanted: Mapping[str, str]) -> Iterator[T]:
        """Those that have all of the labels ``wanted``."""
        for labels, thing in self._among([self._having.get(pair, ()) for pair in wanted.items()]):
            if wanted.items() <= labels.items():
                yield thing

    def selected(self, selector: LabelSelector) -> Iterator[T]:
        """Those that the selector matches."""
        places: list[Sequence[int]] = [self._having.get(pair, ()) for pair in (selector.match_labels or {}).items()]
        for requirement in selector.match_expressions:
            if requirement.operator == "In":
                values = dict.fromkeys(requirement.values or ())
                places.append(sorted(at for v in values for at in self._having.get((requirement.key, v), ())))
        for labels, thing in self._among(places):
            if selector.matches(labels):
                yield thing

    def _among(self, places: Sequence[Sequence[int]]) -> Iterable[tuple[Mapping[str, str], T]]:
        """All things at the fewest of some places; without any, all there are."""
        fewest = min(places, key=len, default=None)
        return self._labelled if fewest is None else (self._labelled[place] for place in fewest)
