"""Something that is up while nothing holds it down."""

from collections.abc import Callable, Hashable, Iterable


class Switch:
    """A link, a host, a process: several faults may hold it down at once, and it is up when the last lets go."""

    def __init__(self, on_change: Callable[[bool], None], held_by: Iterable[Hashable] = ()) -> None:
        self._holders: dict[Hashable, None] = dict.fromkeys(held_by)
        self._on_change = on_change

    @property
    def up(self) -> bool:
        """Whether nothing holds it down."""
        return not self._holders

    def hold(self, holder: Hashable) -> None:
        """``holder`` takes it down."""
        was_up = self.up
        self._holders[holder] = None
        if was_up:
            self._on_change(False)

    def release(self, holder: Hashable) -> None:
        """``holder`` lets go; nothing happens if it did not hold."""
        if holder in self._holders:
            del self._holders[holder]
            if self.up:
                self._on_change(True)
