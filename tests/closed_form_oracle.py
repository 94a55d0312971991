"""The windows of one fault by paper and pencil, and random settings to hold the model to them.

Each case is a row of the table of closed forms: what the FIB of one router does with the paths of worker-1, P its
PodCIDR and V the service's VIP, in seconds after the fault. H hold, K keepalive, R restart time, S the helper's stale
time, D the moment of detection, T the return of the speaker: container + startup + first dial, nothing refused, no
latency anywhere. A keepalive is as old as the draw says; D alone is read off the run, and must lie in its own range.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from worlds import VIP, cluster, direct, fault, fib_log, first_lost, instant, play, pod_cidr, session_log, steady

from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan
from simbgp.timeline import Timeline

POD = pod_cidr(1)
Log = list[tuple[float, str]]


@dataclass(frozen=True)
class Setting:
    """What is drawn for a trial; all whole milliseconds."""

    number: int
    hold_s: int
    keepalive_s: int
    restart_s: int
    stale_s: int
    agent_s: float
    dial_s: float
    down_s: float

    @classmethod
    def draw(cls, number: int) -> "Setting":
        luck = random.Random(number)
        hold_s = luck.choice((3, 4, 6, 9, 12, 20, 30, 60, 90, 120, 180))
        return cls(
            number,
            hold_s,
            luck.randint(1, max(1, hold_s // 3)),
            luck.randint(2, 200),
            luck.randint(2, 200),
            luck.randint(0, 20_000) / 1000,
            luck.randint(100, 9_000) / 1000,
            luck.randint(0, 150_000) / 1000,
        )

    @property
    def back_s(self) -> float:
        """T."""
        return round(self.down_s + self.agent_s + self.dial_s, 6)

    @property
    def kept_s(self) -> int:
        return min(self.restart_s, self.stale_s)

    def plan(self, router="rfc8538", speaker="gobgp-3.36", restart=True, notification=True, **changes):
        profile = instant(router, **({"stale_path_s": self.stale_s, "hold_s": 180, "keepalive_s": 60} | changes))
        return cluster(
            routers=(profile,),
            speaker=steady(speaker, self.dial_s, waits_for_end_of_rib=False),
            timers=(self.hold_s, self.keepalive_s),
            restart=GracefulRestartPlan(restart, self.restart_s, notification=notification),
            agent_s=self.agent_s,
            horizon_s=1200,
        )


def said(found: Log, *wanted: tuple[float, str]) -> None:
    assert [event for _, event in found] == [event for _, event in wanted], (found, wanted)
    for (at_s, _), (wanted_s, _) in zip(found, wanted, strict=True):
        assert abs(at_s - wanted_s) <= 2e-6, (found, wanted)


def detected(s: Setting, log: Timeline) -> float:
    """RFC 4271 §6.5: the hold time after the last keepalive, which is less than K old."""
    lost_s = first_lost(log)
    assert s.hold_s - s.keepalive_s < lost_s + 2e-6
    assert lost_s <= s.hold_s
    return lost_s


def crash_without_gr(s: Setting) -> None:
    """Row 1: gone at 0, back at T."""
    log = play(s.plan(restart=False), fault("agent-crash", s.down_s), seed=s.number)
    for prefix in (POD, VIP):
        said(fib_log(log, prefix), (0, "withdrawn"), (s.back_s, "added"))


def crash_with_gr(s: Setting) -> None:
    """Rows 2 and 3: nothing if T <= min(R, S); else gone at min(R, S), back at T."""
    log = play(s.plan(), fault("agent-crash", s.down_s), seed=s.number)
    for prefix in (POD, VIP):
        gap = [(s.kept_s, "withdrawn"), (s.back_s, "added")] if s.back_s > s.kept_s else []
        said(fib_log(log, prefix), *gap)


def power_off_without_gr(s: Setting) -> None:
    """Row 4: D."""
    log = play(s.plan(restart=False), fault("node-down"), seed=s.number)
    said(fib_log(log, VIP), (detected(s, log), "withdrawn"))


def power_off_without_n(s: Setting) -> None:
    """Row 5: D, not D + R, at a helper of RFC 4724 and wherever the N bit is not sent."""
    for plan in (s.plan("rfc4724"), s.plan("rfc8538", notification=False), s.plan("frr-8.4", notification=False)):
        log = play(plan, fault("node-down"), seed=s.number)
        said(fib_log(log, VIP), (detected(s, log), "withdrawn"))


def power_off_with_n(s: Setting) -> None:
    """Row 6: D + min(R, S); a GoBGP router needs no N, and has no S."""
    log = play(s.plan(), fault("node-down"), seed=s.number)
    said(fib_log(log, VIP), (detected(s, log) + s.kept_s, "withdrawn"))
    gobgp = s.plan("gobgp-3.10", notification=False, helper=True, stale_path_s=None)
    log = play(gobgp, fault("node-down"), seed=s.number)
    said(fib_log(log, VIP), (detected(s, log) + s.restart_s, "withdrawn"))


def power_off_with_llgr(s: Setting) -> None:
    """Row 7: V leaves at D + R, for it is least preferred; P stays for the stale time of RFC 9494 more."""
    long_s = 1 + s.number % 300
    plan = s.plan(long_lived=True, helper=True, stale_path_s=None)
    plan = replace(
        plan,
        peerings=tuple(replace(p, restart=replace(p.restart, long_lived_s=long_s)) for p in plan.peerings),
    )
    log = play(plan, fault("node-down"), seed=s.number)
    lost_s = detected(s, log)
    said(fib_log(log, VIP), (lost_s + s.restart_s, "withdrawn"))
    said(fib_log(log, POD), (lost_s + s.restart_s + long_s, "withdrawn"))


def power_off_with_bfd(s: Setting) -> None:
    """Row 8: a detection time, here of 5 s at most, less up to one interval, whatever H; the routes leave with it."""
    s = replace(s, hold_s=max(s.hold_s, 12), keepalive_s=min(s.keepalive_s, 4))
    bfd = BfdPlan((50, 100, 300, 1000)[s.number % 4] / 1000, 2 + s.number % 4)
    plan = s.plan()
    plan = replace(plan, routers=tuple(replace(router, bfd=bfd) for router in plan.routers))
    log = play(plan, fault("node-down"), seed=s.number)
    lost_s = first_lost(log)
    first = bfd.interval_s * (bfd.multiplier - 1)
    assert first - 2e-6 < lost_s <= bfd.interval_s * bfd.multiplier + 2e-6
    said(fib_log(log, VIP), (lost_s, "withdrawn"))


def direct_link_down(s: Setting) -> None:
    """Row 10: FRR takes the routes with the carrier, also with GR."""
    for restart in (True, False):
        plan = direct(s.plan("frr-8.4", restart=restart))
        log = play(plan, fault("link-down", routers=("tor-1",)), seed=s.number)
        said(fib_log(log, VIP), (0, "withdrawn"))


def unlabelled(s: Setting) -> None:
    """Rows 13 to 16: at once, but for a Cease 6/3 of GoBGP before 3.26 to a helper with N: min(R, S)."""
    cases = (
        (s.plan(restart=False), 0),
        (s.plan("rfc4724"), 0),
        (s.plan(notification=False), 0),
        (s.plan(), 0),
        (s.plan(speaker="gobgp-3.10"), s.kept_s),
    )
    for plan, kept_s in cases:
        log = play(plan, fault("unlabel"), seed=s.number)
        said(fib_log(log, VIP), (kept_s, "withdrawn"))


def timer_changed(s: Setting) -> None:
    """Rows 17 and 18: Cease 6/4; back after 5 s of idle hold and a dial, stale meanwhile with N."""
    back_s = 5 + s.dial_s
    log = play(s.plan(restart=False), fault("session-reset", routers=("tor-1",)), seed=s.number)
    said(fib_log(log, POD), (0, "withdrawn"), (back_s, "added"))
    log = play(s.plan(), fault("session-reset", routers=("tor-1",)), seed=s.number)
    gap = [(s.kept_s, "withdrawn"), (back_s, "added")] if back_s > s.kept_s else []
    said(fib_log(log, POD), *gap)


def short_loss(s: Setting) -> None:
    """Row 12: retransmissions double, so one passes within twice the outage; below H - K no end gives up.

    The router sends every third of H, which is less often than the node.
    """
    outage_s = round((s.hold_s - max(s.keepalive_s, s.hold_s / 3)) * 0.49, 3)
    log = play(s.plan(), fault("link-loss", outage_s, routers=("tor-1",)), seed=s.number)
    assert session_log(log) == []
    assert fib_log(log, VIP) == []


CASES: tuple[Callable[[Setting], None], ...] = (
    crash_without_gr,
    crash_with_gr,
    power_off_without_gr,
    power_off_without_n,
    power_off_with_n,
    power_off_with_llgr,
    power_off_with_bfd,
    direct_link_down,
    unlabelled,
    timer_changed,
    short_loss,
)
