"""No number of the tape serves twice: what a node, a session, a restart draws says nothing of what another draws."""

from collections import Counter
from dataclasses import fields, replace

import pytest
from worlds import AT_S, cluster, direct, fault

from simbgp.model import simulate
from simbgp.profiles import Law, router, speaker
from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan, Occurrence, Trial
from simbgp.scenario.tape import Tape

VARIES = Law.parse({"uniform": [0.1, 2.0]})
GR = GracefulRestartPlan(True, 20)


class Recorded(Tape):
    """A tape that counts what was asked."""

    def __init__(self, seed, run):
        super().__init__(seed, run)
        self.asked = Counter()

    def u(self, entity, purpose, n=0):
        self.asked[entity, purpose, n] += 1
        return super().u(entity, purpose, n)


def of_all(kind, down_s, *at_s):
    """The same fault at both nodes, several times."""
    return [fault(kind, down_s, AT_S + at, f"worker-{n}") for at in at_s for n in (1, 2)]


def stalls(target, *at_s):
    nodes, routers = ((target,), ()) if target.startswith("worker") else ((), (target,))
    return [Occurrence("stall", "stall", round((AT_S + at) * 1e6), nodes, routers, (12_000_000,), {}) for at in at_s]


BUSY = {
    "agents die": of_all("agent-crash", 20.0, 0, 100, 400),
    "nodes die": of_all("node-down", 60.0, 0, 300, 600),
    "links go dark": of_all("link-loss", 30.0, 0, 300) + of_all("link-down", 7.0, 500, 550, 600),
    "links lose": [
        fault("link-loss", 200.0, AT_S + at, f"worker-{n}", options={"share": 0.6}) for at in (0, 400) for n in (1, 2)
    ],
    "routers die": [fault("router-restart", 20.0, AT_S + at, routers=(f"tor-{n}",)) for at in (0, 400) for n in (1, 2)],
    "peers are reset": of_all("session-reset", None, 0, 100, 200) + of_all("peer-shutdown", 30.0, 300, 400),
    "labels go": of_all("unlabel", 30.0, 0, 100),
    "processes stall": [s for who in ("worker-1", "worker-2", "tor-1", "tor-2") for s in stalls(who, 0, 200)],
    "pods go": [fault("backends-down", 20.0, AT_S + at) for at in (0, 50, 100)],
}


def varied(profile):
    """The profile with no constant among its laws, so that every duration is drawn."""
    laws = [f.name for f in fields(profile) if isinstance(getattr(profile, f.name), Law)]
    return replace(profile, **dict.fromkeys(laws, VARIES))


@pytest.mark.parametrize("release", ["1.20", "gobgp-3.10"])
@pytest.mark.parametrize("what", BUSY)
def test_each_draw_of_a_busy_run_has_a_name_of_its_own(what, release):
    """But for a session's age at time 0: its two ends have one."""
    routers = []
    for name in ("bird-2.0", "openbgpd-7.7"):
        profile = varied(router(name))
        routers.append(replace(profile, idle_after=varied(profile.idle_after)))
    plan = cluster(routers=tuple(routers), speaker=varied(speaker(release)), timers=(9, 3), restart=GR)
    plan = replace(plan, agent_startup=VARIES)
    plan = replace(
        plan, services=(replace(plan.services[0], policy="Local"),), agent_startup=VARIES, node_startup=VARIES
    )
    bfd = BfdPlan(0.3, 3, independent=True)
    plan = replace(plan, routers=tuple(replace(r, bfd=bfd) for r in plan.routers))
    tape = Recorded(1, 0)
    simulate(Trial(direct(plan), 0, tape, tuple(sorted(BUSY[what], key=lambda f: f.at_us))))
    assert tape.asked, "a busy run draws"
    assert {key: n for key, n in tape.asked.items() if n > 1 and key[1] != "age"} == {}
    assert all(isinstance(entity, str) and isinstance(purpose, str) for entity, purpose, _ in tape.asked)
    assert all(isinstance(n, int) for *_, n in tape.asked)
