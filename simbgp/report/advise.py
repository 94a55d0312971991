"""Advice as text: the answer in a sentence, and under it every table that the sentence is from."""

from collections.abc import Iterator
from math import isfinite

import click

from simbgp.measure.yearly import Yearly
from simbgp.report.numbers import columns, count, percent, plural, seconds
from simbgp.report.peer_config import at_the_nodes, at_the_routers
from simbgp.report.to_measure import to_measure
from simbgp.scenario.processes import targets_of
from simbgp.study.advise.advised import Advised
from simbgp.study.advise.choice import is_stall
from simbgp.study.advise.settings import Setting
from simbgp.study.advise.words import in_force, order_phrase, phrases, restart_phrase, values_of

_MOST_SWINGS = 8
_MOST_ON_FRONT = 12
_MORE = 1.2


_FALSE = (
    "false expiries: sessions that a stall ends although nothing is dead; the node's routes go and come back. Lost and "
    "broken count what that does to traffic; what somebody spends on looking into each weighs nothing"
)
_RULE = (
    "advised: of what weighs at most 2 % more than the least the fewest false expiries (within 1 a year), then at most "
    "0.2 % more with the fewest changes, then the longest hold"
)


def advise_lines(found: Advised, file: str) -> list[str]:
    """Sentence, failures, what they cost now and then, alternatives, front, what moves the answer, what to do."""
    parts = (
        [_headline(found), "", *sentence(found)],
        ["a year's failures", *_mix(found)],
        ["what they cost a year, now and as advised", *_by_failure(found)],
        ["the advice, and one thing changed at a time", *_neighbours(found)],
        ["the front: what no other setting beats in lost, broken and false expiries", *_front(found)],
        ["what moves the answer most", *_tornado(found)],
        ["before you believe it, measure", *(f"  {line}" for line in to_measure(found))],
        [f"  assumed: {line}" for line in found.assumptions],
        ["to do", *_to_do(found, file)],
        [_verdict(found)],
    )
    return [line for part in parts if part for line in (*part, "")][:-1]


def amount(value: float) -> str:
    """A number with about three digits that matter, as every table here has it."""
    size = abs(value)
    decimals = 0 if size >= 100 else 1 if size >= 10 else 2
    shown = f"{value:.{decimals}f}"
    whole, _, rest = shown.partition(".")
    grouped = count(float(whole)) if whole.lstrip("-") != "0" else whole
    rest = rest.rstrip("0")
    text = f"{grouped}.{rest}" if rest else grouped
    return "0" if text in ("-0", "0") else text


def _interval(found: Yearly) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"[{amount(max(0.0, found.low))}, {amount(found.high)}]"


def _minutes(found: Yearly) -> Yearly:
    return Yearly(*(None if each is None else each / 60 for each in (found.value, found.low, found.high)))  # type: ignore[arg-type]


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
    restart_s = _restart_s(found, found.chosen)
    if restart_s is None or len(rows) < 2:
        return ""
    timed = sorted(
        (each for each in rows if _restart_s(found, each) is not None), key=lambda s: _restart_s(found, s) or 0
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
    other_s = _restart_s(found, other) or 0
    would = (
        f"{restart_phrase(other_s)} would cover {percent(found.restarts.covered(other_s))}"
        if other_s
        else "graceful restart off would cover none"
    )
    return f"{mine}, {would}, lose {_lost(costs)} and break {amount(costs.broken.value)}"


def _restart_s(found: Advised, setting: Setting) -> int | None:
    return found.now.restart if setting.restart is None else setting.restart


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
        *(_minutes(costs.lost_connection_s) for costs in sums),
        *(costs.broken for costs in sums),
        *(costs.false_expiries for costs in sums),
    ]
    rows += [("sum", *(amount(total.value) for total in each)), ("95 % interval", *map(_interval, each))]
    difference = found.costs(then, less=now)
    less = [_signed(_minutes(difference.lost_connection_s)), _signed(difference.broken)]
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


def _rows(found: Advised, named: "list[tuple[str, Setting]]") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "lost", "broken", "false expiries", "pods dark", "restarts covered", "weighs")]
    for name, setting in named:
        costs, restart_s = found.costs(setting), _restart_s(found, setting)
        covered = "" if restart_s is None else percent(found.restarts.covered(restart_s))
        amounts = [_minutes(costs.lost_connection_s).value, costs.broken.value, costs.false_expiries.value]
        amounts.append(costs.dark_pods_s.value / 60)
        rows.append((name, *map(amount, amounts), covered, amount(costs.weighs_s.value / 60)))
    return rows


def _neighbours(found: Advised) -> list[str]:
    named = [("now", Setting()), ("advised", found.chosen)]
    for axis, settings in found.neighbours().items():
        others = [setting for setting in settings if setting != found.chosen]
        if axis == "restart":
            others.sort(key=lambda setting: _restart_s(found, setting) or 0)
        if axis == "hold":
            others.sort(key=lambda setting: setting.hold or found.now.hold or 0)
        named += [(_turned(found, axis, setting), setting) for setting in others]
    price = found.weighing.broken_connection_s
    lines = columns(_rows(found, named), right=frozenset(range(1, 7)))
    low, high = found.prices.low_s, found.prices.high_s
    until = f"{amount(low)} to {amount(high)} s" if isfinite(high) else f"{amount(low)} s and above"
    return [
        *lines,
        f"  {_RULE}",
        *_least(found),
        f"  lost: connection-minutes; weighs: lost + {seconds(price)} each broken one; the same advice from {until}",
        "  pods dark: node-minutes without a route to a living node's pods; not weighed, for no traffic to the "
        "pods' own addresses is written",
    ]


def _least(found: Advised) -> Iterator[str]:
    """What weighs less than the advised setting by so little that something else decided."""
    least, mine = found.costs(found.least), found.costs(found.chosen)
    if amount(least.weighs_s.value / 60) != amount(mine.weighs_s.value / 60):
        known = set(in_force(found.chosen, found.now))
        own = ", ".join(each for each in in_force(found.least, found.now) if each not in known)
        yield (
            f"  the least: {own} weighs {amount(least.weighs_s.value / 60)}, with "
            f"{amount(least.false_expiries.value)} false expiries; what is advised weighs "
            f"{percent(mine.weighs_s.value / least.weighs_s.value - 1)} more, with {amount(mine.false_expiries.value)}"
        )


def _turned(found: Advised, axis: str, setting: Setting) -> str:
    values = values_of(setting, found.now)
    of_axis = {
        "hold": lambda: f"hold {values.get('holdTimeSeconds')} s",
        "keepalive": lambda: f"keepalive {values.get('keepAliveTimeSeconds')} s",
        "restart": lambda: restart_phrase(values.get("restartTimeSeconds") or 0),
        "bfd": lambda: f"BFD {values.get('bfd')}",
        "hash": lambda: f"{values.get('hash')} hash",
        "balancer": lambda: f"{values.get('algorithm')}/{values.get('mode')}",
        "algorithm": lambda: str(values.get("algorithm")),
        "mode": lambda: str(values.get("mode")),
        "drain": lambda: f"drain {order_phrase(tuple(values.get('drain') or ()))}",
    }
    return of_axis[axis]() if axis in of_axis else f"{axis} {values.get(axis)}"


def _front(found: Advised) -> list[str]:
    on_front = found.front
    step = max(1, -(-len(on_front) // _MOST_ON_FRONT))
    shown = [each for place, each in enumerate(on_front) if place % step == 0 or each == found.chosen]
    named = [
        ((">" if each == found.chosen else " ") + " " + ", ".join(in_force(each, found.now)), each) for each in shown
    ]
    return columns(_rows(found, named), right=frozenset(range(1, 7)))


def _tornado(found: Advised) -> list[str]:
    rows: list[tuple[str, ...]] = [("input", "from", "to", "weighs, connection-minutes", "", "then advised")]
    for swing in found.swings[:_MOST_SWINGS]:
        name = f"{swing.of}: {swing.kind}" if swing.kind != "price" else "weight of a broken connection"
        turns = [_then(found, side) for side in (swing.best_at_low, swing.best_at_high)]
        then = "the same" if turns == ["the same"] * 2 else f"{turns[0]} | {turns[1]}"
        ends = amount(swing.at_low / 60), amount(swing.at_high / 60)
        rows.append((name, swing.low, swing.high, *ends, then))
    return columns(rows, right=frozenset({1, 2, 3, 4}))


def _then(found: Advised, setting: Setting) -> str:
    """What another answer would change against the advice."""
    if setting == found.chosen:
        return "the same"
    mine, other = (phrases(each, found.now) for each in (found.chosen, setting))
    own = [phrase for phrase in in_force(setting, found.now) if phrase not in in_force(found.chosen, found.now)]
    return ", ".join(own or [each for each in other if each not in mine] or ["as it is now"])


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
