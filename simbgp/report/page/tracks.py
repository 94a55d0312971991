"""States by their changes: what a page looks up instead of playing a run."""

from bisect import bisect_right
from typing import Any

ALWAYS_US = -1
"""Before any fact, those of time 0 included."""


class Track:
    """A word that changes at instants. What holds at an instant is what holds after all that happened then."""

    __slots__ = ("times_us", "words")

    def __init__(self, word: str) -> None:
        self.times_us = [ALWAYS_US]
        self.words = [word]

    def set(self, time_us: int, word: str) -> None:
        """Let ``word`` hold from ``time_us``, which is not before the last change."""
        if self.times_us[-1] == time_us:
            self.times_us.pop()
            self.words.pop()
        if not self.words or self.words[-1] != word:
            self.times_us.append(time_us)
            self.words.append(word)

    def at(self, time_us: int) -> str:
        """The word that holds at ``time_us``."""
        return self.words[bisect_right(self.times_us, time_us) - 1]


class Tracks:
    """Named tracks and the places that they have on a page."""

    def __init__(self) -> None:
        self._tracks: dict[str, Track] = {}

    def begin(self, name: str, word: str) -> None:
        """Start the track ``name``; one that is there is left alone."""
        self._tracks.setdefault(name, Track(word))

    def set(self, name: str, time_us: int, word: str) -> None:
        """Let ``word`` hold on the track ``name`` from ``time_us``."""
        self._tracks[name].set(time_us, word)

    def __getitem__(self, name: str) -> Track:
        return self._tracks[name]

    def __contains__(self, name: str) -> bool:
        return name in self._tracks

    def place(self, name: str) -> int:
        """Where the track stands in `packed`."""
        return list(self._tracks).index(name)

    def places(self) -> dict[str, int]:
        """`place` of each."""
        return {name: place for place, name in enumerate(self._tracks)}

    def changes_us(self) -> list[int]:
        """Every moment at which any word changes, in order."""
        return sorted({at for track in self._tracks.values() for at in track.times_us if at >= 0})

    def packed(self) -> dict[str, Any]:
        """``words``, each different one once, and ``tracks``: of each its times in microseconds and places in these."""
        words: dict[str, int] = {}
        tracks = [
            [track.times_us, [words.setdefault(word, len(words)) for word in track.words]]
            for track in self._tracks.values()
        ]
        return {"words": list(words), "tracks": tracks}
