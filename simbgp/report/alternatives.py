"""What an advice is compared with: one thing changed at a time, the front, and what moves the answer."""

from collections.abc import Iterator
from math import isfinite

from simbgp.measure.yearly import Yearly
from simbgp.report.numbers import columns, count, percent, seconds
from simbgp.study.advise.advised import Advised
from simbgp.study.advise.settings import Setting
from simbgp.study.advise.words import in_force, order_phrase, phrases, restart_phrase, values_of

_MOST_SWINGS = 8
_MOST_ON_FRONT = 12
_RULE = (
    "advised: of what weighs at most 2 % more than the least the fewest false expiries (within 1 a year), then at most "
    "0.2 % more with the fewest changes, then the longest hold"
)


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


def minutes(found: Yearly) -> Yearly:
    """The same in minutes."""
    return Yearly(*(None if each is None else each / 60 for each in (found.value, found.low, found.high)))  # type: ignore[arg-type]


def restart_of(found: Advised, setting: Setting) -> int | None:
    """The restart time in force under a setting, 0 without graceful restart; None where sessions differ."""
    return found.now.restart if setting.restart is None else setting.restart


def _rows(found: Advised, named: "list[tuple[str, Setting]]") -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("", "lost", "broken", "false expiries", "pods dark", "restarts covered", "weighs")]
    for name, setting in named:
        costs, restart_s = found.costs(setting), restart_of(found, setting)
        covered = "" if restart_s is None else percent(found.restarts.covered(restart_s))
        amounts = [minutes(costs.lost_connection_s).value, costs.broken.value, costs.false_expiries.value]
        amounts.append(costs.dark_pods_s.value / 60)
        rows.append((name, *map(amount, amounts), covered, amount(costs.weighs_s.value / 60)))
    return rows


def neighbours(found: Advised) -> list[str]:
    """The present and the advised setting, then the advised one with one thing changed at a time."""
    named = [("now", Setting()), ("advised", found.chosen)]
    for axis, settings in found.neighbours().items():
        others = [setting for setting in settings if setting != found.chosen]
        if axis == "restart":
            others.sort(key=lambda setting: restart_of(found, setting) or 0)
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


def front_rows(found: Advised) -> list[str]:
    """The settings that no other beats, as many as fit."""
    on_front = found.front
    step = max(1, -(-len(on_front) // _MOST_ON_FRONT))
    shown = [each for place, each in enumerate(on_front) if place % step == 0 or each == found.chosen]
    named = [
        ((">" if each == found.chosen else " ") + " " + ", ".join(in_force(each, found.now)), each) for each in shown
    ]
    return columns(_rows(found, named), right=frozenset(range(1, 7)))


def tornado(found: Advised) -> list[str]:
    """The inputs that move the answer most."""
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
