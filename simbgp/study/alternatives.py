"""The same study with what its profiles leave open set another way, and what hangs on it.

A switch that may show is played every way, with the same seed: what differs then hangs on the switch and on nothing
else (common random numbers). Above eight ways in all, the switches are turned one at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from simbgp.measure import Estimate, SloResult, Verdict
from simbgp.measure.units import of_metric
from simbgp.profiles import Alternative, RouterProfile, SpeakerProfile, Switch, switched
from simbgp.scenario import Plan
from simbgp.scenario.plan import RouterPlan, SloPlan, ecmp_plan

_MOST_WAYS = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """A switch of a profile in play, and what it is set to; ``owner`` is the profile as a reader knows it."""

    owner: str
    switch: Switch
    alternative: Alternative


@dataclass(frozen=True, slots=True)
class Way:
    """A plan in which the switches of ``choices`` do not stand as they are taken to."""

    choices: tuple[Choice, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What another way gives: each SLO judged, and the 99 % quantile of the longest outage."""

    choices: tuple[Choice, ...]
    slo: tuple[SloResult, ...]
    outage: Estimate | None


def other_ways(plan: Plan) -> list[Way]:
    """Every other way to play ``plan``; none if its profiles leave nothing open that may show."""
    options = [
        [Choice(owner, switch, alternative) for alternative in switch.alternatives[1:]]
        for owner, switch in _open(plan)
        if _may_show(plan, switch)
    ]
    if prod(len(choices) + 1 for choices in options) > _MOST_WAYS:
        chosen: list[tuple[Choice, ...]] = [(choice,) for choices in options for choice in choices]
    else:
        every = product(*([None, *choices] for choices in options))
        chosen = [tuple(choice for choice in choices if choice is not None) for choices in every]
    return [Way(choices, _set(plan, choices)) for choices in chosen if choices]


def _open(plan: Plan) -> Iterator[tuple[str, Switch]]:
    """The switches of the profiles in play, each once however many routers have it."""
    found = {(_known_as(plan.speaker), switch.name): switch for switch in plan.speaker.switches}
    for router in plan.routers:
        for switch in router.profile.switches:
            found.setdefault((_known_as(router.profile), switch.name), switch)
    return ((owner, switch) for (owner, _), switch in found.items())


def _known_as(profile: RouterProfile | SpeakerProfile) -> str:
    if isinstance(profile, RouterProfile):
        return profile.name
    return f"speaker {profile.name}" if profile.bare else f"Cilium {profile.name}"


def _may_show(plan: Plan, switch: Switch) -> bool:
    restarts = any(peering.restart.enabled for peering in plan.peerings)
    happens = not switch.faults or not plan.kinds.isdisjoint(switch.faults)
    long_lived = any(peering.restart.enabled and peering.restart.long_lived_s for peering in plan.peerings)
    if (switch.needs_restart and not restarts) or (switch.needs_long_lived and not long_lived):
        return False
    return happens and (not switch.resilient or any(_is_resilient_with(router, switch) for router in plan.routers))


def _is_resilient_with(router: RouterPlan, switch: Switch) -> bool:
    return router.ecmp.hash == "resilient" and switch.name in {other.name for other in router.profile.switches}


def _set(plan: Plan, choices: Sequence[Choice]) -> Plan:
    for choice in choices:
        if choice.owner == _known_as(plan.speaker):
            plan = replace(plan, speaker=switched(plan.speaker, choice.switch, choice.alternative))
        plan = replace(plan, routers=tuple(_with(router, _turned(router.profile, choice)) for router in plan.routers))
    return plan


def _with(router: RouterPlan, profile: RouterProfile) -> RouterPlan:
    """The router of another profile, which says how it spreads flows too."""
    return router if profile is router.profile else replace(router, profile=profile, ecmp=ecmp_plan(profile))


def _turned(profile: RouterProfile, choice: Choice) -> RouterProfile:
    """``profile`` with the choice, if it has that switch: what a scenario says of one router settles it there."""
    if _known_as(profile) == choice.owner and choice.switch.name in {switch.name for switch in profile.switches}:
        return switched(profile, choice.switch, choice.alternative)
    return profile


# what hangs on it


def undisputed(found: SloResult, others: Sequence[SloResult]) -> SloResult:
    """``found``, INCONCLUSIVE if another way gives another verdict."""
    if all(other.verdict is found.verdict for other in others):
        return found
    return replace(found, verdict=Verdict.INCONCLUSIVE, runs_needed=None)


def dispute(found: SloResult, others: Sequence[tuple[Sequence[Choice], SloResult]]) -> str | None:
    """How the verdict hangs on the open switches, ``met without, breached with the N bit``; None if it does not."""
    words = [(choices, _word(other)) for choices, other in others]
    telling = _telling(_word(found), words)
    return _each_way(_word(found), telling, _turned_by([telling])) if telling else None


def _word(found: SloResult) -> str:
    return found.verdict.lower().replace("_", " ")


def sentences(taken: Otherwise, others: Sequence[Otherwise]) -> Iterator[str]:
    """What to say of the open switches: the figures that hang on them both ways, and how to find out."""
    figures = dict(_figures(taken))
    shown = [(other.choices, dict(_figures(other))) for other in others]
    telling = {
        title: _telling(value, [(choices, values[title]) for choices, values in shown])
        for title, value in figures.items()
    }
    turned = _turned_by(list(telling.values()))
    if turned:
        told = [f"{title} {_each_way(figures[title], ways, turned)}" for title, ways in telling.items() if ways]
        asks = ", and ".join(dict.fromkeys(choice.switch.ask for choice in turned))
        yield f"{_owners(turned)}: {'; '.join(told)}; find out: {asks}"
    silent = {(c.owner, c.switch.name) for other in others for c in other.choices}
    for owner, name in sorted(silent - {(choice.owner, choice.switch.name) for choice in turned}):
        yield f"{owner}: not known, but no figure here hangs on it: {name}"


def _figures(found: Otherwise) -> Iterator[tuple[str, str]]:
    """Each SLO's statistic and the outage's, by a title that says what it is of."""
    for result in found.slo:
        yield _title(result.slo), _shown(result.slo.metric, result.estimate)
    yield "blackhole p99", _shown("blackhole_s", found.outage)


def _title(slo: SloPlan) -> str:
    narrowed = [getattr(slo, name) for name in ("service", "prefix", "router", "fault")]
    words = [str(value) for value in narrowed if value is not None]
    words += [f"share {slo.min_share:g} or more"] if slo.min_share else []
    of = [f"({', '.join(words)})"] if words else []
    return " ".join([slo.metric.removesuffix("_s").replace("_", " "), *of, slo.stat])


def _shown(metric: str, found: Estimate | None) -> str:
    if found is None:
        return "never happens"
    return ("≥ " if found.censored else "") + of_metric(metric, found.value)


_Telling = list[tuple[Sequence[Choice], str]]
"""Ways that show something else, each with the fewest choices that do."""


def _telling(taken: str, others: Sequence[tuple[Sequence[Choice], str]]) -> _Telling:
    different = [(choices, shown) for choices, shown in others if shown != taken]
    return [
        (choices, shown)
        for choices, shown in different
        if not any(
            same == shown and len(fewer) < len(choices) and all(choice in choices for choice in fewer)
            for fewer, same in different
        )
    ]


def _turned_by(tellings: Sequence[_Telling]) -> list[Choice]:
    """The choices that tell, one for each switch."""
    every = (choice for telling in tellings for choices, _ in telling for choice in choices)
    return list({(choice.owner, choice.switch.name): choice for choice in every}.values())


def _owners(turned: Sequence[Choice]) -> str:
    return ", ".join(dict.fromkeys(choice.owner for choice in turned))


def _each_way(taken: str, telling: _Telling, turned: Sequence[Choice]) -> str:
    """``89.6 s without, 209.6 s with the N bit``."""
    ways: dict[str, list[str]] = {}
    for choices, shown in telling:
        ways.setdefault(shown, []).append(" and ".join(_label(choice, turned) for choice in choices))
    default = "by default"
    if len(turned) == 1:
        switch = turned[0].switch
        default = switch.alternatives[0].label.removesuffix(f" the {switch.name}")
    return ", ".join([f"{taken} {default}", *(f"{shown} {' or '.join(labels)}" for shown, labels in ways.items())])


def _label(choice: Choice, turned: Sequence[Choice]) -> str:
    several = len({other.owner for other in turned}) > 1
    return f"{choice.owner} {choice.alternative.label}" if several else choice.alternative.label
