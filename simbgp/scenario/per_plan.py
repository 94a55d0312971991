"""What is worked out once for all runs of a plan."""

from collections.abc import Callable
from typing import Generic, TypeVar

from simbgp.scenario.plan import Plan

T = TypeVar("T")
_MOST = 64
"""So many plans are known at a time: more than most studies have settings, which are played run by run."""


class PerPlan(Generic[T]):
    """A function of a plan that is asked in every run, and answers from the second on from memory.

    A plan is known by its identity, for to compare two would take longer than most answers. The oldest is forgotten.
    """

    def __init__(self, make: Callable[[Plan], T]) -> None:
        self._make = make
        self._known: dict[int, tuple[Plan, T]] = {}
        """By id; the plan itself stands there too, so that no other can come to have its id."""

    def __call__(self, plan: Plan) -> T:
        """What is known of ``plan``, which never changes."""
        known = self._known.get(id(plan))
        if known is None:
            known = self._known[id(plan)] = plan, self._make(plan)
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
        return known[1]
