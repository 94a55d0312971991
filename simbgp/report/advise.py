"""Advice as text: the answer in a sentence, and under it every table that the sentence is from."""

from collections.abc import Iterator

import click

from simbgp.measure.yearly import Yearly
from simbgp.report.alternatives import amount, front_rows, minutes, neighbours, restart_of, tornado
from simbgp.report.numbers import columns, percent, plural, seconds
from simbgp.report.peer_config import at_the_nodes, at_the_routers
from simbgp.report.to_measure import to_measure
from simbgp.scenario.processes import targets_of
from simbgp.study.advise.advised import Advised
from simbgp.study.advise.choice import is_stall
from simbgp.study.advise.settings import Setting
from simbgp.study.advise.words import in_force, phrases, restart_phrase

_MORE = 1.2


_FALSE = (
    "false expiries: sessions that a stall ends although nothing is dead; the node's routes go and come back. Lost and "
    "broken count what that does to traffic; what somebody spends on looking into each weighs nothing"
)


def advise_lines(found: Advised, file: str) -> list[str]:
    """Sentence, failures, what they cost now and then, alternatives, front, what moves the answer, what to do."""
    parts = (
        [_headline(found), "", *sentence(found)],
        ["a year's failures", *_mix(found)],
        ["what they cost a year, now and as advised", *_by_failure(found)],
        ["the advice, and one thing changed at a time", *neighbours(found)],
        ["the front: what no other setting beats in lost, broken and false expiries", *front_rows(found)],
        ["what moves the answer most", *tornado(found)],
        ["before you believe it, measure", *(f"  {line}" for line in to_measure(found))],
        [f"  assumed: {line}" for line in found.assumptions],
        ["to do", *_to_do(found, file)],
        [_verdict(found)],
    )
    return [line for part in parts if part for line in (*part, "")][:-1]


def _interval(found: Yearly) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"[{amount(max(0.0, found.low))}, {amount(found.high)}]"


def _headline(found: Advised) -> str:
    plan = found.plan
    profiles = ", ".join(dict.fromkeys(router.profile.name for router in plan.routers))
    name = click.style(plan.name, bold=True)
    size = f"{len(plan.nodes)} nodes, Cilium {plan.speaker.name}, {plural(len(plan.routers), 'router')} ({profiles})"
    looked = f"{plural(found.tried, 'setting')} looked at, {len(found.settings)} played in full"
    return f"{name}  {size}      {looked}, {found.runs} failures of each kind, seed {found.seed}"


def sentence(found: Advised) -> list[str]:
    """The advice with its reason; every number in it is in the tables below."""
    now, chosen = found.costs(Setting()), found.costs(found.chosen)
    changes = phrases(found.chosen, found.now)
    what = ", ".join(changes) if changes else f"leave it as it is ({', '.join(in_force(Setting(), found.now))})"
    told = f"a year then loses {_lost(chosen)} and breaks {amount(chosen.broken.value)} connections"
    if changes:
        told += f", now {_lost(now)} and {amount(now.broken.value)}"
    if amount(chosen.false_expiries.value) != amount(now.false_expiries.value):
        told += f"; stalls end {amount(chosen.false_expiries.value)} sessions of the living"
        told += f", now {amount(now.false_expiries.value)}" if changes else ""
    if chosen.dark_pods_s.value > now.dark_pods_s.value * _MORE + 60:
        told += f"; pod routes are dark for {amount(chosen.dark_pods_s.value / 60)} node-minutes, now "
        told += amount(now.dark_pods_s.value / 60)
    because = _because(found)
    return [f"{click.style('ADVICE', bold=True)}  {what}: {f'{because}; ' if because else ''}{told}."]


def _lost(costs: "object") -> str:
    return f"{amount(costs.lost_connection_s.value / 60)} connection-minutes"  # type: ignore[attr-defined]


def _because(found: Advised) -> str:
    """What the restart time is the answer to, and what its neighbour would do."""
    rows = next((rows for axis, rows in found.neighbours().items() if axis == "restart"), [])
    restart_s = restart_of(found, found.chosen)
    if restart_s is None or len(rows) < 2:
        return ""
    timed = sorted(
        (each for each in rows if restart_of(found, each) is not None), key=lambda s: restart_of(found, s) or 0
    )
    covered = percent(found.restarts.covered(restart_s))
    mine = (
        f"{restart_s} s covers {covered} of the agent restarts"
        if restart_s
        else ("a restart time would keep more traffic at dead nodes than it saves connections")
    )
    place = timed.index(found.chosen) if found.chosen in timed else -1
    other = timed[place + 1] if 0 <= place < len(timed) - 1 else timed[place - 1] if place > 0 else None
    if other is None:
        return mine
    costs = found.costs(other)
    other_s = restart_of(found, other) or 0
    would = (
        f"{restart_phrase(other_s)} would cover {percent(found.restarts.covered(other_s))}"
        if other_s
        else "graceful restart off would cover none"
    )
    return f"{mine}, {would}, lose {_lost(costs)} and break {amount(costs.broken.value)}"


def _mix(found: Advised) -> list[str]:
    rows: list[tuple[str, ...]] = [("failure", "each", "targets", "in all", "lasts", "from")]
    for of in found.ledger.classes:
        process = of.process
        lasts = str(of.lasts) if process.fault.down_for is not None else "for good"
        targets = plural(process.targets, targets_of(process))
        rows.append((of.name, f"{amount(process.per_year)}/y", targets, amount(process.in_all), lasts, process.source))
    return columns(rows, right=frozenset({1, 2, 3}))


def _by_failure(found: Advised) -> list[str]:
    weighing, now, then = found.weighing, Setting(), found.chosen
    heads = ("failure", "lost, connection-minutes", "", "broken connections", "", "false expiries", "")
    rows: list[tuple[str, ...]] = [heads, ("", "now", "advised", "now", "advised", "now", "advised")]
    kinds = [weighing.lost_connection_s() / 60, weighing.broken(), weighing.lost_sessions()]
    by_class = [[found.ledger.by_class(setting, what) for setting in (now, then)] for what in kinds]
    stalls = {of.name for of in found.ledger.classes if is_stall(of.process.fault.kind)}
    for of in found.ledger.classes:
        cells = [amount(side[of.name].value) for both in by_class[:2] for side in both]
        expiries = [amount(side[of.name].value) if of.name in stalls else "" for side in by_class[2]]
        rows.append((of.name, *cells, *expiries))
    sums = [found.costs(now), found.costs(then)]
    each = [
        *(minutes(costs.lost_connection_s) for costs in sums),
        *(costs.broken for costs in sums),
        *(costs.false_expiries for costs in sums),
    ]
    rows += [("sum", *(amount(total.value) for total in each)), ("95 % interval", *map(_interval, each))]
    difference = found.costs(then, less=now)
    less = [_signed(minutes(difference.lost_connection_s)), _signed(difference.broken)]
    lines = columns(rows, right=frozenset(range(1, 7)))
    if any(costs.false_expiries.value for costs in sums):
        lines.append(f"  {_FALSE}")
    if then != now:
        lines += [
            f"  advised less now: {less[0]} connection-minutes, {less[1]} broken connections (same luck, in pairs)"
        ]
    return [*lines, *_budget_lines(found)]


def _signed(found: Yearly) -> str:
    def sign(value: float) -> str:
        return ("+" if value > 0 else "") + amount(value)

    if found.low is None or found.high is None:
        return sign(found.value)
    return f"{sign(found.value)} [{sign(found.low)}, {sign(found.high)}]"


def _budget_lines(found: Advised) -> Iterator[str]:
    for word, setting in (("now", Setting()), ("advised", found.chosen)):
        worst = found.budgets(setting)[0]
        customary = "" if found.availability else "; no SLO is written, this one is customary"
        yield (
            f"  {word}: {worst.service} is dark for {seconds(worst.lost_s.value)} a year {_interval(worst.lost_s)}, "
            f"{percent(worst.used)} of the error budget of {worst.availability * 100:g} % ({seconds(worst.allowed_s)}"
            f"{customary}); one year in 20 has {seconds(found.one_year_in_20(setting))} or more"
        )


def _to_do(found: Advised, file: str) -> list[str]:
    if not phrases(found.chosen, found.now):
        return ["  nothing: what you have is the best of what was tried"]
    lines = []
    if any(getattr(found.chosen, key) is not None for key in ("hold", "keepalive", "restart")):
        command = found.reproduce.replace("simbgp advise ", "simbgp advise --patch ", 1)
        lines.append(f"  {command} | kubectl apply --server-side -f -")
    return lines + [f"  {line}" for line in (*at_the_nodes(found), *at_the_routers(found))]


def _verdict(found: Advised) -> str:
    verdict = found.verdict
    if found.availability is None:
        why = "failures.availability or --slo says what a year may lose"
        return f"VERDICT  {verdict}: {why}      reproduce: {found.reproduce}"
    return (
        f"VERDICT  {verdict}: {found.availability * 100:g} % with the advised setting      reproduce: {found.reproduce}"
    )
