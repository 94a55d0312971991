"""The first lines of a report: what was played, in one look."""

import click

from simbgp.report.numbers import count, listed, plural, span
from simbgp.scenario import Plan
from simbgp.study.result import Result


def headline(result: Result) -> list[str]:
    """The scenario's name and what decides its outcome, then its own story."""
    plan = result.plan
    setting = "  ".join([click.style(plan.name, bold=True), *_timers(plan), *_services(plan), _size(plan)])
    how = "exact: nothing in it is random" if result.exact else f"{plural(result.runs, 'run')}, seed {result.seed}"
    story = result.scenario.description
    return [f"{setting}      {how}", *([story.strip()] if story else [])]


def _timers(plan: Plan) -> list[str]:
    if not plan.peerings:
        return ["no sessions"]
    routers = {router.name: router.profile for router in plan.routers}
    hold = span(min(peering.hold_s, routers[peering.router].hold_s) for peering in plan.peerings)
    restarts = [p.restart.restart_time_s for p in plan.peerings if p.restart.enabled and routers[p.router].helper]
    return [f"hold {hold} s", f"restart {span(restarts)} s" if restarts else "no graceful restart"]


def _services(plan: Plan) -> list[str]:
    if not plan.services:
        return []
    policies = listed([f"{service.name} eTP {service.policy}" for service in plan.services])
    return [policies, f"{plan.load_balancer.algorithm}/{plan.load_balancer.mode}"]


def _size(plan: Plan) -> str:
    profiles = listed(list(dict.fromkeys(router.profile.name for router in plan.routers)))
    speaker = plan.speaker.name if plan.speaker.bare else f"Cilium {plan.speaker.name}"
    spines = f" under {plural(len(plan.fabric), 'spine')}" if plan.fabric else ""
    return f"{count(len(plan.nodes))} × {speaker}, {plural(len(plan.routers), 'router')} ({profiles}){spines}"
