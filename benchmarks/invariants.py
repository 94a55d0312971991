"""What the assertions that stay on in production cost: ``python -m benchmarks.invariants``.

Studies are played in pairs, once as they are and once with every `require` and every check of a run's end taken out,
in turns that change places. The figure is the upper 95 % bound of the mean ratio of CPU seconds (Student's t).
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import fmean, stdev
from unittest.mock import patch

from scipy.stats import t

from simbgp.scenario import Scenario, load
from simbgp.study import run
from simbgp.timeline.invariants import require

MOST = 1.05
SCENARIOS = ("scenarios/agent-crash-gr.yaml", "scenarios/node-down-gr.yaml")


def _nothing(*_: object, **__: object) -> None:
    return None


@contextmanager
def _without() -> Iterator[None]:
    """Every module that holds `require` holds what does nothing; what it is told is made up still, where it is."""
    from simbgp.model.bgp.adj_rib import AdjRibIn
    from simbgp.model.network.fib import Fib

    with ExitStack() as stack:
        for name, module in sorted(sys.modules.items()):
            if name.startswith("simbgp.") and getattr(module, "require", None) is require:
                stack.enter_context(patch.object(module, "require", _nothing))
        stack.enter_context(patch.object(AdjRibIn, "check", _nothing))
        stack.enter_context(patch.object(Fib, "check", _nothing))
        yield


def _cpu_s(scenario: Scenario, runs: int, seed: int) -> float:
    began = time.process_time()
    run(scenario, runs, seed)
    return time.process_time() - began


def _ratio(scenario: Scenario, runs: int, pair: int) -> float:
    """CPU seconds with, for one without; who is first changes from pair to pair."""

    def bare() -> float:
        with _without():
            return _cpu_s(scenario, runs, pair)

    def whole() -> float:
        return _cpu_s(scenario, runs, pair)

    order: tuple[Callable[[], float], Callable[[], float]] = (whole, bare) if pair % 2 else (bare, whole)
    first, second = (play() for play in order)
    return first / second if pair % 2 else second / first


def main() -> int:
    """Print the ratio of each scenario; 1 if an upper bound is above 1.05."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.invariants", description=__doc__)
    parser.add_argument("--pairs", type=int, default=30, help="default %(default)s")
    parser.add_argument("--runs", type=int, default=100, help="of each study (default %(default)s)")
    asked = parser.parse_args()
    good = True
    for name in SCENARIOS:
        scenario = load(name)
        _ratio(scenario, asked.runs, 0)  # all is imported and compiled
        ratios = [_ratio(scenario, asked.runs, pair) for pair in range(asked.pairs)]
        half = t.ppf(0.95, asked.pairs - 1) * stdev(ratios) / asked.pairs**0.5
        upper = fmean(ratios) + half
        good &= bool(upper <= MOST)
        print(f"{name:<32} {asked.pairs} pairs, mean {fmean(ratios):.4f}, upper 95 % {upper:.4f}; asked {MOST}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
