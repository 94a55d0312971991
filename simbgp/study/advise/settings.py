"""What a planner may turn: the axes of the grid, their values, and a plan with some of them set."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from simbgp.profiles import parse_duration, settled
from simbgp.scenario import Plan, Scenario
from simbgp.scenario.plan import BfdPlan, PeeringPlan, ProcessPlan, RouterPlan, ecmp_plan
from simbgp.scenario.schema.base import read_duration

HASHES = ("modulo", "hash-threshold", "hrw", "resilient")
ALGORITHMS, MODES = ("random", "maglev"), ("snat", "dsr")
ORDERS: Mapping[str, tuple[str, ...]] = {
    "drain-first": ("drain", "unlabel", "wait", "poweroff"),
    "unlabel-first": ("unlabel", "wait", "drain", "poweroff"),
    "no-wait": ("drain", "unlabel", "poweroff"),
}
"""Orders of a drain by name."""
AXES = ("hold", "keepalive", "restart", "bfd", "hash", "balancer", "algorithm", "mode", "drain")
_DOTTED = {
    "cluster.timers.holdTimeSeconds": "hold",
    "cluster.timers.keepAliveTimeSeconds": "keepalive",
    "cluster.gracefulRestart.restartTimeSeconds": "restart",
    "cluster.loadBalancer.algorithm": "algorithm",
    "cluster.loadBalancer.mode": "mode",
}
_LEAST_HOLD, _GREATEST_HOLD, _GREATEST_RESTART = 3, 65535, 4095  # RFC 4271 §4.2, RFC 4724 §3
_BFD_MULTIPLIER = 3


class AxisError(ValueError):
    """An axis that does not exist, or a value that it cannot have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of the grid; None leaves what the scenario says. ``restart`` 0 is graceful restart off, ``bfd`` 0 none,
    else its interval; ``paths`` are further values by dotted path."""

    hold: int | None = None
    keepalive: int | None = None
    restart: int | None = None
    bfd: float | None = None
    hash: str | None = None
    algorithm: str | None = None
    mode: str | None = None
    drain: tuple[str, ...] | None = None
    paths: tuple[tuple[str, Any], ...] = ()

    @property
    def control(self) -> tuple[Any, ...]:
        """What the control plane sees of it."""
        return self.hold, self.keepalive, self.restart, self.bfd, self.paths

    @property
    def world(self) -> tuple[Any, ...]:
        """What traffic sees of it beside the facts."""
        return self.hash, self.algorithm, self.mode, self.paths

    def changes(self) -> int:
        """How many things it changes; a hold time and its third are one."""
        values = [getattr(self, each.name) for each in fields(self) if each.name not in ("keepalive", "paths")]
        own_keepalive = self.keepalive is not None and self.hold is None
        return sum(value is not None for value in values) + len(self.paths) + own_keepalive


Axis = tuple[str, tuple[dict[str, Any], ...]]
"""Its name, and for each of its values what that sets."""


def grid(axes: Sequence[Axis], now: Setting) -> list[Setting]:
    """Every combination, the present setting first; what is as it is now counts as left alone."""
    found = {Setting(): None}
    for values in product(*(values for _, values in axes)):
        parts: dict[str, Any] = {}
        paths: tuple[tuple[str, Any], ...] = ()
        for value in values:
            parts |= {key: each for key, each in value.items() if key != "path"}
            paths += (value["path"],) if "path" in value else ()
        setting = tidied(Setting(**parts, paths=tuple(sorted(paths, key=_by_path))), now)
        if setting is not None:
            found[setting] = None
    return list(found)


def tidied(setting: Setting, now: Setting) -> Setting | None:
    """The setting without what it sets to what it is anyhow; None if its timers contradict each other."""
    hold = setting.hold or now.hold
    if setting.hold is not None and setting.keepalive is None:
        setting = replace(setting, keepalive=max(1, setting.hold // 3))
    if hold is not None and (setting.keepalive or 0) > hold:
        return None
    if (setting.hold or now.hold, setting.keepalive or now.keepalive) == (now.hold, now.keepalive):
        setting = replace(setting, hold=None, keepalive=None)
    same: dict[str, Any] = {
        each.name: None
        for each in fields(Setting)
        if each.name not in ("hold", "keepalive", "paths") and getattr(setting, each.name) == getattr(now, each.name)
    }
    return replace(setting, **same)


_OWN: Mapping[str, tuple[str, ...]] = {"hold": ("hold", "keepalive"), "balancer": ("algorithm", "mode")}


def turned(axis: Axis, setting: Setting, now: Setting) -> list[Setting]:
    """``setting`` with each value of one axis in turn, those that are allowed."""
    name, values = axis
    own = _OWN.get(name, (name,))
    found: dict[Setting, None] = {}
    for value in values:
        if "path" in value:
            others = tuple(path for path in setting.paths if path[0] != name)
            made = tidied(replace(setting, paths=tuple(sorted((*others, value["path"]), key=_by_path))), now)
        else:
            parts: dict[str, Any] = {key: value.get(key) for key in own} | value
            made = tidied(replace(setting, **parts), now)
        if made is not None:
            found[made] = None
    return list(found)


def _by_path(path: tuple[str, Any]) -> str:
    return path[0]


def present(plan: Plan) -> Setting:
    """The values in force; None where sessions or routers differ."""
    drains = {process.fault.options["order"] for process in _drains(plan.mix.processes)}
    return Setting(
        hold=_only({p.hold_s for p in plan.peerings}),
        keepalive=_only({p.keepalive_s for p in plan.peerings}),
        restart=_only({p.restart.restart_time_s if p.restart.enabled else 0 for p in plan.peerings}),
        bfd=_only({router.bfd.interval_s if router.bfd else 0 for router in plan.routers}),
        hash=_only({router.ecmp.hash for router in plan.routers}),
        algorithm=plan.load_balancer.algorithm,
        mode=plan.load_balancer.mode,
        drain=_only(drains),
    )


def _only(values: "set[Any]") -> Any:
    return next(iter(values)) if len(values) == 1 else None


def _drains(processes: Iterable[ProcessPlan]) -> list[ProcessPlan]:
    return [process for process in processes if process.fault.kind == "node-drain"]


def applied(plan: Plan, setting: Setting) -> Plan:
    """``plan`` with the setting, in every session and at every router; ``paths`` are applied already."""
    own: dict[str, Any] = {"algorithm": setting.algorithm, "mode": setting.mode}
    balancer = replace(plan.load_balancer, **{key: value for key, value in own.items() if value is not None})
    return replace(
        plan,
        peerings=tuple(_peering(peering, setting) for peering in plan.peerings),
        routers=tuple(_router(router, setting) for router in plan.routers),
        load_balancer=balancer,
    )


def with_order(process: ProcessPlan, setting: Setting) -> ProcessPlan:
    """A drain in the setting's order; any other process as it is."""
    if process.fault.kind != "node-drain" or setting.drain is None:
        return process
    return replace(process, fault=replace(process.fault, options={**process.fault.options, "order": setting.drain}))


def _peering(peering: PeeringPlan, setting: Setting) -> PeeringPlan:
    restart = peering.restart
    if setting.restart is not None:
        time_s = setting.restart or restart.restart_time_s
        restart = replace(restart, enabled=setting.restart > 0, restart_time_s=time_s)
    return replace(
        peering,
        hold_s=setting.hold or peering.hold_s,
        keepalive_s=setting.keepalive or peering.keepalive_s,
        restart=restart,
    )


def _router(router: RouterPlan, setting: Setting) -> RouterPlan:
    if setting.bfd is not None:
        router = replace(router, bfd=BfdPlan(setting.bfd, _BFD_MULTIPLIER) if setting.bfd else None)
    if setting.hash is None:
        return router
    written: dict[str, Any] = {"ecmp_hash": setting.hash}
    profile = replace(settled(router.profile, written), **written)
    return replace(router, profile=profile, ecmp=ecmp_plan(profile))


def read_axis(name: str, values: Iterable[Any], scenario: Scenario) -> Axis:
    """One axis from its values as they are typed. Raises `AxisError`, or ScenarioError for a dotted path."""
    short = _DOTTED.get(name, name)
    if short not in AXES and "." not in name:
        raise AxisError(f"unknown axis {name!r}; allowed: {', '.join(AXES)}, or a dotted path of the scenario")
    listed = list(values)
    if not listed:
        raise AxisError(f"{name} has no values")
    if short not in AXES:
        return name, tuple({"path": (name, value)} for value in listed)
    return short, tuple(_READERS[short](value) for value in listed)


def _seconds(what: str, least: int, most: int, value: Any) -> int:
    try:
        found = float(value) if isinstance(value, int | float) or str(value).isdigit() else parse_duration(str(value))
        if found.is_integer() and least <= found <= most:
            return int(found)
    except ValueError:
        pass
    raise AxisError(f"{what}: {value!r}; allowed: whole seconds from {least} to {most}")


def _hold(value: Any) -> dict[str, Any]:
    return {"hold": _seconds("hold", _LEAST_HOLD, _GREATEST_HOLD, value)}


def _keepalive(value: Any) -> dict[str, Any]:
    return {"keepalive": _seconds("keepalive", 1, _GREATEST_HOLD, value)}


def _is_off(value: Any) -> bool:
    return value is False or value == 0 or str(value).lower() == "off"


def _restart(value: Any) -> dict[str, Any]:
    return {"restart": 0 if _is_off(value) else _seconds("restart", 1, _GREATEST_RESTART, value)}


def _bfd(value: Any) -> dict[str, Any]:
    try:
        return {"bfd": 0.0 if _is_off(value) else read_duration(value)}
    except ValueError:
        raise AxisError(f"bfd: {value!r}; allowed: off, or an interval like 300ms (detected after 3)") from None


def _one_of(name: str, allowed: Sequence[str], value: Any) -> dict[str, Any]:
    if value not in allowed:
        raise AxisError(f"{name}: {value!r}; allowed: {', '.join(allowed)}")
    return {name: value}


def _balancer(value: Any) -> dict[str, Any]:
    algorithm, _, mode = str(value).partition("/")
    return {**_one_of("algorithm", ALGORITHMS, algorithm), **_one_of("mode", MODES, mode)}


def _drain(value: Any) -> dict[str, Any]:
    if value in ORDERS:
        return {"drain": ORDERS[value]}
    steps = (
        tuple(value) if isinstance(value, list | tuple) else tuple(str(value).strip("[]").replace(" ", "").split(","))
    )
    if not steps or len(set(steps)) < len(steps) or not set(steps) <= {"drain", "unlabel", "wait", "poweroff"}:
        raise AxisError(
            f"drain: {value!r}; allowed: {', '.join(ORDERS)}, or steps like [unlabel, wait, drain, poweroff]"
        )
    return {"drain": steps}


_READERS: Mapping[str, Any] = {
    "hold": _hold,
    "keepalive": _keepalive,
    "restart": _restart,
    "bfd": _bfd,
    "hash": lambda value: _one_of("hash", HASHES, value),
    "balancer": _balancer,
    "algorithm": lambda value: _one_of("algorithm", ALGORITHMS, value),
    "mode": lambda value: _one_of("mode", MODES, value),
    "drain": _drain,
}


def default_axes(plan: Plan, now: Setting, covering: Sequence[int], given: Iterable[str]) -> Iterator[Axis]:
    """What is tried of the axes that nobody gave; ``covering`` are restart times that cover parts of the restarts.

    BFD is not tried unless it is given: no Cilium release has it. Nor is graceful restart off where routes to pods
    hang on it, for what these carry nobody has written.
    """
    taken = set(given)
    restarts = {process.fault.kind for process in plan.mix.processes} & {"agent-restart", "agent-crash"}
    wanted: list[tuple[str, Sequence[Any]]] = [
        ("hold", sorted({3, 9, 30, 90} | ({now.hold} if now.hold else set()))),
        ("restart", [*([] if _announces_pods(plan) else ["off"]), *(covering if restarts else ()), 120]),
        ("hash", ["resilient"]),
        ("balancer", ["maglev/dsr"]),
        ("drain", ["drain-first", "unlabel-first"] if _drains(plan.mix.processes) else []),
    ]
    for name, values in wanted:
        blocked = {"hold": {"hold"}, "balancer": {"balancer", "algorithm", "mode"}}.get(name, {name})
        if not taken & blocked and values:
            as_now: dict[str, Any] = {}
            yield name, (as_now, *(_READERS[name](value) for value in values))


def _announces_pods(plan: Plan) -> bool:
    pods = {cidr for node in plan.nodes for cidr in node.pod_cidrs}
    return any(not pods.isdisjoint(peering.prefixes) for peering in plan.peerings)
