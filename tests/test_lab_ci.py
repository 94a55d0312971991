"""What decides in the lab's part of CI: mechanisms do, a machine's load does not."""

import pytest

from benchmarks.calibrate import Tally
from benchmarks.lab_ci import broken, misses
from simbgp.lab.comparison import Figure
from simbgp.lab.probes import Flow, unanswered
from simbgp.lab.readings import Place

PLACE = Place("tor-1", "worker-1", "10.244.1.0/24")


def _figure(name: str, predicted: tuple[float | None, ...], measured: float | None) -> Figure:
    return Figure(PLACE, name, predicted, (measured,), 20.0)


def test_a_late_value_is_a_miss_and_breaks_nothing():
    late = _figure("session_loss_s", (2.0, 3.0), 3.16)  # 3 + 0.15 of noise is the last that is inside
    assert (list(broken([late])), len(misses([late]))) == ([], 1)
    assert misses([_figure("session_loss_s", (2.0, 3.0), 3.15)]) == []


@pytest.mark.parametrize(
    ("predicted", "measured", "said"),
    [
        ((2.0, 3.0), None, "happens in every run of the model, and did not"),
        ((None, None), 4.0, "happens in no run of the model, and did after 4.0 s"),
        ((2.0, None), None, ""),
        ((2.0, None), 4.0, ""),
    ],
)
def test_what_must_happen_or_must_not_decides(predicted: tuple[float | None, ...], measured: float | None, said: str):
    assert " ".join(broken([_figure("session_loss_s", predicted, measured)])).endswith(said)
    assert bool(list(broken([_figure("session_loss_s", predicted, measured)]))) == bool(said)


@pytest.mark.parametrize(("withdrawn_s", "wrong"), [(2.35, False), (2.34, True), (None, False)])
def test_a_route_goes_after_its_session(withdrawn_s: float | None, wrong: bool):
    # the session at 2.5, 0.15 of noise
    figures = [_figure("session_loss_s", (2.5,), 2.5), _figure("withdrawn_s", (2.5, None), withdrawn_s)]
    assert bool(list(broken(figures))) == wrong


def test_a_lost_probe_stands_for_the_time_until_the_next():
    """Two flows of one prefix, in turn; a driver without CPU between 1.1 and 3.0: 0.1 + 1.9 + 0.01 at the end."""
    one = Flow("tor-1", "192.0.2.10/32", None, [0.9, 1.1, 3.1], {0})  # type: ignore[arg-type]
    other = Flow("tor-1", "192.0.2.10/32", None, [1.0, 3.0], {1})  # type: ignore[arg-type]
    lost = unanswered([one, other])
    assert [at for at, _ in lost] == [1.0, 1.1, 3.1]
    assert [length_s for _, length_s in lost] == pytest.approx([0.1, 1.9, 0.01])
    assert unanswered([]) == []


def test_the_tally_leaves_nothing_out_and_says_what_is_trivial():
    tally = Tally()
    tally.add(Figure(PLACE, "session_loss_s", (2.0, 3.0), (2.5, 3.1, 9.0), 20.0))
    tally.add(Figure(PLACE, "route_back_s", (None, None), (None,), 20.0))  # predicted and measured: never
    tally.add(Figure(PLACE, "blackhole_s", (0.0, 0.0), (0.0,), 20.0))  # and nothing lost
    # 5 values, 9.0 outside; 3.1 inside by the noise alone; the last two say nothing
    assert (tally.values, tally.inside, tally.strictly) == (5, 4, 3)
    assert (tally.happened, tally.happened_inside) == (3, 2)
