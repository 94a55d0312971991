"""Routers expanded: a profile, and what the scenario says instead."""

from dataclasses import replace
from typing import Any

from simbgp.profiles import RouterProfile, router, settled
from simbgp.scenario.layout import Upstream
from simbgp.scenario.plan import BfdPlan, RouterPlan, ecmp_plan
from simbgp.scenario.schema import RouterSettings


def router_plan(upstream: Upstream) -> RouterPlan:
    """The plan of a router, its profile with the scenario's settings in it."""
    settings = upstream.settings
    profile = overridden(router(settings.profile), settings)
    bfd = settings.bfd
    return RouterPlan(
        upstream.name,
        profile,
        settings.asn,
        upstream.addresses,
        ecmp_plan(profile),
        settings.link,
        BfdPlan(bfd.interval, bfd.detect_multiplier, bfd.control_plane_independent) if bfd and bfd.enabled else None,
        tuple(dict.fromkeys(settings.families)),
        settings.hash_seed,
    )


def overridden(profile: RouterProfile, settings: RouterSettings) -> RouterProfile:
    """The profile with what the scenario says instead; a keepalive that nobody wrote follows a lower hold time."""
    timers, helper, ecmp = settings.timers, settings.graceful_restart, settings.ecmp
    hold = timers.hold_time_seconds or profile.hold_s
    keepalive = timers.keep_alive_time_seconds or min(profile.keepalive_s, max(1, hold // 3))
    changes: dict[str, Any] = {
        "hold_s": hold,
        "keepalive_s": keepalive if timers.model_fields_set else profile.keepalive_s,
        "helper": helper.helper,
        "notification": helper.notification,
        "stale_path_s": helper.stale_path_time_seconds,
        "long_lived": helper.long_lived,
        "fib_after_crash": "kept" if helper.preserve_forwarding else None,
        "ecmp_hash": ecmp.hash,
        "ecmp_buckets": ecmp.buckets,
        "ecmp_idle_s": ecmp.idle_timer,
        "ecmp_unbalanced_s": ecmp.unbalanced_timer,
        "ecmp_on_change": ecmp.on_change,
        "ecmp_addition": ecmp.addition,
        "ecmp_order": ecmp.order,
        "ecmp_maximum_paths": ecmp.maximum_paths,
        "neighbour_check": settings.neighbour_check,
    }
    written = {key: value for key, value in changes.items() if value is not None}
    return replace(settled(profile, written), **written)
