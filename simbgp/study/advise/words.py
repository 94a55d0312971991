"""A setting as readers know it: the fields of Cilium's objects, and words."""

from typing import Any

from simbgp.profiles import format_duration
from simbgp.study.advise.settings import ORDERS, Setting


def values_of(setting: Setting, now: Setting) -> dict[str, Any]:
    """What is in force under a setting, by name, what it leaves alone filled in from ``now``; nothing that is None."""
    hold, keepalive, restart = (_own(setting, now, key) for key in ("hold", "keepalive", "restart"))
    bfd, order = _own(setting, now, "bfd"), _own(setting, now, "drain")
    found = {
        "holdTimeSeconds": hold,
        "keepAliveTimeSeconds": keepalive,
        "gracefulRestart": None if restart is None else restart > 0,
        "restartTimeSeconds": restart or None,
        "bfd": None if bfd is None else "off" if not bfd else format_duration(bfd),
        "hash": _own(setting, now, "hash"),
        "algorithm": _own(setting, now, "algorithm"),
        "mode": _own(setting, now, "mode"),
        "drain": None if order is None else list(order),
        **dict(setting.paths),
    }
    return {key: value for key, value in found.items() if value is not None}


def _own(setting: Setting, now: Setting, key: str) -> Any:
    own = getattr(setting, key)
    return getattr(now, key) if own is None else own


def phrases(setting: Setting, now: Setting) -> list[str]:
    """What a setting changes, each thing in a few words; timers first."""
    found = []
    if setting.hold is not None or setting.keepalive is not None:
        hold = _own(setting, now, "hold")
        found.append(f"hold {hold} s, keepalive {_own(setting, now, 'keepalive')} s")
    if setting.restart is not None:
        found.append(restart_phrase(setting.restart))
    if setting.bfd is not None:
        found.append(f"BFD {format_duration(setting.bfd)} × 3" if setting.bfd else "no BFD")
    if setting.hash is not None:
        found.append(f"{setting.hash} hash at the routers")
    if setting.algorithm is not None or setting.mode is not None:
        found.append(f"{_own(setting, now, 'algorithm')}/{_own(setting, now, 'mode')}")
    if setting.drain is not None:
        found.append(f"drain as {order_phrase(setting.drain)}")
    return [*found, *(f"{path} {value}" for path, value in setting.paths)]


def restart_phrase(restart_s: int) -> str:
    """``restart time 75 s``."""
    return f"restart time {restart_s} s" if restart_s else "graceful restart off"


def order_phrase(order: "tuple[str, ...]") -> str:
    """The steps of a drain, by the name of the order if it has one."""
    name = next((name for name, steps in ORDERS.items() if steps == tuple(order)), None)
    return name or ", ".join(order)


def in_force(setting: Setting, now: Setting) -> list[str]:
    """All that matters and is in force under a setting, in a few words each."""
    known = {key: _own(setting, now, key) for key in ("hold", "keepalive", "restart", "hash", "algorithm", "mode")}
    full = Setting(**known, bfd=setting.bfd or now.bfd or None, drain=setting.drain or now.drain, paths=setting.paths)
    return phrases(full, now) or ["as it is"]
