"""Small scenarios for the lab, and the reason why this machine cannot play them."""

from typing import Any

from simbgp import scenario
from simbgp.lab.needs import lacking
from simbgp.scenario import Plan

NODES = 2


def text(fault: str, profile: str = "frr-8.4", restart_s: int = 0, horizon_s: int = 12, link: str = "switched") -> str:
    """Hold 3, keepalive 1; a router of GoBGP helps if asked to."""
    restart = f"{{enabled: true, restartTimeSeconds: {restart_s}}}" if restart_s else "{enabled: false}"
    helper = ", gracefulRestart: {helper: true, notification: true}" if profile.startswith("gobgp") else ""
    return f"""
name: cell
horizon: {horizon_s}s
cluster:
  cilium: gobgp-3.10
  nodes: {NODES}
  timers: {{connectRetryTimeSeconds: 120, holdTimeSeconds: 3, keepAliveTimeSeconds: 1}}
  gracefulRestart: {restart}
routers:
  - {{name: tor-1, profile: {profile}, asn: 65000, link: {link}{helper}}}
services:
  - {{name: web, vip: 192.0.2.10, backends: 2}}
faults:
  - {fault}
"""


def plan(fault: str, **settings: Any) -> Plan:
    """The same as a plan."""
    return scenario.loads(text(fault, **settings)).plan()


CRASH = "{at: 2s, kind: agent-crash, node: worker-1}"


def why_not(*profiles: str) -> str:
    """What this machine lacks to play these routers; empty if nothing."""
    return "; ".join(dict.fromkeys(line for profile in profiles for line in lacking(plan(CRASH, profile=profile))))
