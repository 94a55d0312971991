"""Shares of connections and delays, as measured; the whole comparison is `python -m benchmarks.data_plane`."""

import pytest

from benchmarks import data_plane, lab

POOLED = data_plane.pooled(lab.read("data_plane.csv"))


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in POOLED}))
def test_shares_are_within_three_points(kind):
    settings = [(setting, rows) for (of, setting), rows in POOLED.items() if of == kind]
    found = [one for setting, rows in settings for one in data_plane.compared(kind, setting, rows)]
    assert len([one for one in found if one.holds]) >= 0.97 * len(found), [one for one in found if not one.holds]


def test_delays_are_on_the_clients_grid():
    found = data_plane.delays()
    assert {name: share >= 0.95 for name, (share, _) in found.items()} == {"stalls": True, "late connects": True}
