"""What becomes of connections, setting by setting; what no balancing could have saved is hatched."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simbgp.report.figures.cases import Cases, cases, heading, name_of
from simbgp.report.figures.style import BLUE, INK, ORANGE, QUIET, RED, YELLOW, house_style, in_percent, new
from simbgp.report.numbers import percent
from simbgp.scenario import Plan
from simbgp.scenario.plan import FaultPlan, ServicePlan
from simbgp.study.replicate import run
from simbgp.study.result import Result
from simbgp.study.rows import COLUMNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OF = {name: column for column, name in enumerate(COLUMNS["connections"])}
KINDS = {"reset": RED, "timed_out": BLUE, "not_opened": ORANGE, "delayed": YELLOW}
"""Outcomes from the left, the broken ones first; those that nothing happened to are the rest."""
_BROKEN = ("reset", "timed_out", "not_opened")
_POWER_OFF = "node-down"


@dataclass(frozen=True, slots=True)
class Bar:
    """Shares of the connections of one setting; ``unavoidable`` is a part of what broke."""

    label: str
    shares: dict[str, float]
    unavoidable: float

    @property
    def broken(self) -> float:
        """The share that was reset, timed out or could not be opened."""
        return sum(self.shares[kind] for kind in _BROKEN)


def outcome_bars(of: Cases) -> "Figure":
    """A bar per setting with the shares of connections that were hurt, over all runs and services.

    A sweep keeps no outcomes: its settings are played once more, and come out the same.

    Raises:
        ValueError: A result without traffic.
    """
    found = [(label, _with_connections(result)) for label, result in cases(of)]
    bars = [bar(label, result) for label, result in found]
    with house_style():
        figure, axes = new(1.45 + 0.3 * len(bars), _finding(name_of(found), bars))
        _draw(axes, bars)
        axes.set_xlabel("share of the connections")
        axes.set_title(heading(of), loc="left", fontsize=8)
        if axes.patches:
            figure.legend(loc="outside lower left", ncols=5, fontsize=8, handlelength=1.4, columnspacing=1.4)
    return figure


def _with_connections(result: Result) -> Result:
    if result.has("connections"):
        return result
    return run(result.scenario, result.runs, result.seed, tables=("connections",))


def bar(label: str, result: Result) -> Bar:
    """The shares of one setting. Raises ValueError if it has no traffic."""
    rows = [row for row in result.rows("connections") if row[_OF["fault"]] is None]
    total = sum(row[_OF["total"]] for row in rows)
    if not total:
        raise ValueError(f"{label}: there are no connections to show; the scenario has no traffic")
    shares = {kind: sum(row[_OF[kind]] for row in rows) / total for kind in KINDS}
    broken = sum(shares[kind] for kind in _BROKEN)
    return Bar(label, shares, min(broken, doomed(result.plan) * result.runs / total))


def doomed(plan: Plan) -> float:
    """How many connections lose their pod to a power loss or a failure of backends, whatever the routers and nodes do.

    Those open at any time (a steady state) times the share of pods that die; of a Local service the share of the nodes
    with pods, between which routers divide the traffic. Pods that are given a grace period are not counted.
    """
    open_at_once = {traffic.service: traffic.connections for traffic in plan.traffic}
    return sum(open_at_once.get(service.name, 0) * _dying(plan, service) for service in plan.services)


def _dying(plan: Plan, service: ServicePlan) -> float:
    homes = {backend.name: backend.node for backend in service.backends}
    dead: set[str] = set()
    for fault in plan.faults:
        if fault.kind == _POWER_OFF and fault.random_nodes is None:
            dead |= {name for name, node in homes.items() if node in fault.nodes}
        elif fault.kind == "backends-down" and _kills(fault, service):
            dead |= set(fault.options["backends"] or homes) & set(homes)
    if not dead:
        return 0.0
    if service.policy == "Cluster":
        return len(dead) / len(homes)
    pods = {node: [name for name, home in homes.items() if home == node] for node in homes.values()}
    return sum(sum(name in dead for name in names) / len(names) for names in pods.values()) / len(pods)


def _kills(fault: FaultPlan, service: ServicePlan) -> bool:
    """Pods that are only unready go on serving the connections that they have."""
    return fault.options["service"] == service.name and fault.options.get("how") != "unready"


def _finding(name: str, bars: list[Bar]) -> str:
    best, worst = min(bars, key=lambda b: b.broken), max(bars, key=lambda b: b.broken)
    if len(bars) == 1:
        text = f"{name}: {percent(best.broken)} of the connections break"
        return text + (f", {percent(best.unavoidable)} with their pods" if best.unavoidable else "")
    if worst.broken == 0:
        return f"{name}: no connection breaks in any of {len(bars)} settings"
    least = f"{percent(best.broken)} of the connections break with {_quoted(best.label)}"
    with_pods = f" ({percent(best.unavoidable)} lose their pod)" if best.unavoidable else ""
    return f"{name}: {least}{with_pods}, {percent(worst.broken)} with {_quoted(worst.label)}"


def _quoted(label: str) -> str:
    """A label with commas in it, so that the sentence around it can be read."""
    return f"“{label}”" if "," in label else label


def _draw(axes: "Axes", bars: list[Bar]) -> None:
    rows = range(len(bars) - 1, -1, -1)
    left = [0.0] * len(bars)
    for kind, colour in KINDS.items():
        widths = [b.shares[kind] for b in bars]
        if any(widths):
            label = kind.replace("_", " ")
            axes.barh(rows, widths, left=left, height=0.66, color=colour, edgecolor=INK, linewidth=0.4, label=label)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    lost = [b.unavoidable for b in bars]
    if any(lost):
        axes.barh(
            rows, lost, height=0.66, color="none", edgecolor=INK, linewidth=0, hatch="////",
            label="lost with their pods, unavoidable",
        )  # fmt: skip
    axes.set_yticks(list(rows), [b.label for b in bars])
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, max([*left, 1e-6]) * 1.03)
    in_percent(axes.xaxis)
    _write_shares(axes, bars)


def _write_shares(axes: "Axes", bars: list[Bar]) -> None:
    """Two columns of numbers at the right."""
    columns = [("broken", [b.broken for b in bars]), ("delayed", [b.shares["delayed"] for b in bars])]
    for place, (name, shares) in enumerate(columns):
        _write(axes, place, len(bars) - 0.25, name, QUIET)
        for row, share in enumerate(shares):
            _write(axes, place, len(bars) - 1 - row, percent(share), INK)


def _write(axes: "Axes", column: int, height: float, text: str, colour: str) -> None:
    axes.annotate(
        text, (1, height), xycoords=("axes fraction", "data"), xytext=(54 + 54 * column, 0),
        textcoords="offset points", annotation_clip=False, ha="right", va="center", fontsize=8.5, color=colour,
    )  # fmt: skip
