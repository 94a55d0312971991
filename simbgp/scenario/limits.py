"""How much is read: of a scenario, which may be a stranger's, what takes some seconds; of one's own dump, a cluster's.

The bounds of what a scenario may ask for beyond its files stand with what they bound; `docs/trust.md` has them all.
"""

import dataclasses
import sys
from dataclasses import dataclass

from simbgp.scenario.errors import Problem, ScenarioError

MAX_BYTES = 1_000_000
"""Of a scenario, of an incident log and of manifests that libyaml does not read: up to 3.4 s, at 3.4 us a sign."""
MAX_VALUES = 30_000
"""Of the same: each costs up to 0.1 ms."""
MAX_PATHS = 2_000_000
"""Prefixes that all sessions carry together: some 200 bytes each."""
MAX_LEVELS = 600_000
"""Of the same: the levels that all values stand at, together; ruamel.yaml looks at each level for each sign."""
MAX_BACKENDS = 1_000_000
"""Of the Services of manifests together: some 3 us each."""
MAX_DEPTH = 100
MAX_ALIASED = 10_000


@dataclass(frozen=True, slots=True)
class Most:
    """How many bytes and values all files together may have, and what to do about more."""

    bytes: int
    values: int
    instead: str

    @property
    def advice(self) -> str:
        """What is said after the bound."""
        return f"; {self.instead}" if self.instead else ""


JSON_FOR_ONE = 3
"""So many values of JSON count as one, for they are read in the time of one of YAML."""
MANIFESTS = Most(100_000_000, 1_250_000, "simbgp import makes a small file of a large dump")
"""Of a scenario: up to 5 s of reading. An imported cluster of 5 000 nodes is within it as JSON."""
IMPORTED = Most(500_000_000, 10_000_000, "take less from the cluster: kubectl get -l, or without pods")
"""By ``simbgp import``: some 10 000 nodes with all that Kubernetes and Cilium have of each; a GB of memory as JSON."""


@dataclass
class Allowance:
    """What is left of the values that some files may have together."""

    most: Most
    left: int = 0

    def __post_init__(self) -> None:
        self.left = self.most.values

    @classmethod
    def without_end(cls) -> "Allowance":
        """For what was counted before."""
        return cls(Most(sys.maxsize, sys.maxsize, ""))

    def error(self, problem: Problem) -> ScenarioError:
        """``problem``, whose place is known, as that of the first value too many."""
        what = f"too many values; allowed: {self.most.values} in all manifests{self.most.advice}"
        return ScenarioError([dataclasses.replace(problem, message=what)])
