from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simbgp.profiles import Law
from simbgp.scenario import Tape

N = 4000
BOUND = 1.95 / N**0.5  # P(D > 1.95/√n) ≈ 2·exp(−2·1.95²) = 0.1 % (Kolmogorov)


def distance(values: list[float]) -> float:
    """The largest gap between the observed distribution and the uniform one."""
    ordered = np.sort(values)
    steps = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


@pytest.mark.parametrize("vary", ["seed", "run", "entity", "purpose", "n"])
def test_draws_are_uniform_along_every_part_of_their_name(vary: str) -> None:
    name = {"seed": 7, "run": 0, "entity": "worker-1", "purpose": "dial", "n": 0}
    values = []
    for i in range(N):
        part = name | {vary: i if isinstance(name[vary], int) else f"x{i}"}
        values.append(Tape(part["seed"], part["run"]).u(part["entity"], part["purpose"], part["n"]))
    assert distance(values) <= BOUND
    assert len(set(values)) == N


def test_neighbouring_draws_are_not_correlated() -> None:
    tape = Tape(1, 0)
    values = np.array([tape.u("a", "b", n) for n in range(N + 1)])
    # the correlation of independent pairs has standard deviation 1/√n; five of them
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 5 / N**0.5


@given(st.integers(0, 2**64), st.integers(0, 10**6), st.text(max_size=20), st.text(max_size=20), st.integers(0, 10**6))
def test_a_draw_depends_on_its_name_alone_and_lies_in_the_unit_interval(
    seed: int, run: int, entity: str, purpose: str, n: int
) -> None:
    busy = Tape(seed, run)
    for other in product(("a", "b"), repeat=2):
        busy.u(*other)
    assert 0.0 <= busy.u(entity, purpose, n) < 1.0
    assert busy.u(entity, purpose, n) == Tape(seed, run).u(entity, purpose, n)


def test_parts_of_a_name_do_not_run_into_each_other() -> None:
    tape = Tape(1, 1)
    assert tape.u("ab", "c") != tape.u("a", "bc")
    assert Tape(1, 11).u("a", "b") != Tape(11, 1).u("a", "b")
    assert tape.u("a", "b", 11) != tape.u("a", "b1", 1)


def test_only_a_law_that_varies_uses_the_tape() -> None:
    tape = Tape(1, 0)
    assert tape.draw_us(Law.parse("1500ms"), "a", "b") == 1_500_000
    assert tape.draw_us(Law.parse({"uniform": [2, 2]}), "a", "b") == 2_000_000
    assert tape.used is False
    assert 1_000_000 <= tape.draw_us(Law.parse({"uniform": [1, 2]}), "a", "b") <= 2_000_000
    assert tape.used is True
