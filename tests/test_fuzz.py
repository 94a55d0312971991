"""500 inputs of each kind; the hundred thousand are ``python -m benchmarks.fuzz``."""

import pytest

from benchmarks.fuzz.limits import feed
from benchmarks.fuzz.targets import TARGETS

_PARTS = 5


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_ends_in_a_traceback_or_takes_5_s_or_1_gb(target: str, part: int) -> None:
    size = 500 // _PARTS
    assert feed(target, range(part * size, (part + 1) * size)) == []


def hangs(_: int) -> None:
    while True:
        pass


def grows(_: int) -> None:
    bytearray(2**31)


def fails(number: int) -> None:
    if number == 3:
        raise KeyError("x")


@pytest.mark.parametrize(
    ("target", "said"), [(hangs, "longer than"), (grows, "MemoryError"), (fails, "KeyError in test_fuzz.py")]
)
def test_the_net_has_no_holes(monkeypatch: pytest.MonkeyPatch, target: object, said: str) -> None:
    monkeypatch.setattr("benchmarks.fuzz.limits.LONGEST_S", 0.1)
    monkeypatch.setitem(TARGETS, "yaml", target)
    found = feed("yaml", [3])
    assert [finding.number for finding in found] == [3]
    assert found[0].what.startswith(said)
