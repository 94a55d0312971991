"""What nodes remember survives their agent and not their power: eBPF maps are pinned in the kernel's memory."""

import pytest
from scenario_texts import small

from simbgp.study.replay import timeline
from simbgp.timeline import ConntrackLost
from simbgp.traffic import outcomes

WEB = """\
services: [{name: web, vip: 192.0.2.10, backends: 8}]
traffic: [{service: web, connections: 20000, arrivals: 0/s, lifetime: 1000h}]
faults: [{at: 60s, kind: %s, node: worker-1, downFor: 20s}]
"""


@pytest.mark.parametrize(("kind", "losses"), [("agent-crash", 0), ("agent-restart", 0), ("node-down", 1)])
def test_a_node_loses_its_conntrack_by_a_reboot_alone(kind: str, losses: int) -> None:
    log = timeline(small(WEB % kind).plan(), 0, 0)
    assert [fact.node for fact in log.of(ConntrackLost)] == ["worker-1"] * losses


def test_connections_that_meet_their_node_again_go_on_after_a_crash_of_its_agent_and_not_after_a_reboot() -> None:
    # a router that keeps the routes of a restarting agent sends everything where it went before
    restart = "cluster.gracefulRestart={enabled: true, restartTimeSeconds: 120}"
    ended = {}
    for kind in ("agent-crash", "node-down"):
        plan = small(WEB % kind, restart, "cluster.startup={node: 10s}").plan()
        ended[kind] = outcomes(plan, timeline(plan, 0, 0), 0, 0)[0]
    crash, reboot = ended["agent-crash"], ended["node-down"]
    assert (crash.reset, crash.moved, crash.unaffected) == (0, 0, 20000)
    # a quarter was opened at worker-1, and every eighth backend there died with it: all of these are hurt
    assert reboot.reset > 0.2 * 20000
