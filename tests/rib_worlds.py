"""One session of a world that nobody plays: its router's end and Adj-RIB-In are told what happens, second by second."""

from functools import partial

from worlds import VIP, cluster, instant, pod_cidr, steady

from simbgp.model.clock import Order
from simbgp.model.world import World
from simbgp.scenario.plan import GracefulRestartPlan, Trial
from simbgp.scenario.tape import Tape
from simbgp.timeline import RouteChanged

P, V = pod_cidr(1), VIP
GR = GracefulRestartPlan(True, 15, notification=False)
GR_N = GracefulRestartPlan(True, 15)
LONG = GracefulRestartPlan(True, 15, long_lived_s=100)
NAMES = {P: "P", V: "V"}


def s(seconds):
    """Microseconds."""
    return round(seconds * 1e6)


class Told:
    """The world of worker-1 (and more ``nodes``) at a router of ``profile``; Established since long before.

    The node, once idle, does not dial while anybody looks.
    """

    def __init__(self, profile=None, restart=GR_N, nodes=1, **settings):
        plan = cluster(
            nodes=nodes, routers=(profile or instant(),), restart=restart, speaker=steady(dial_s=5000), **settings
        )
        self.world = World(Trial(plan, 0, Tape(1, 0), ()))
        self.session = self.world.sessions_of("worker-1")[0]
        self.router, self.rib = self.session.router, self.session.router.rib

    def at(self, at_s, act, *arguments, order=Order.PACKET):
        """Do it at that second, after the faults of that instant and before its timers."""
        self.world.clock.at(s(at_s), partial(act, *arguments), order)
        return self

    def run(self, until_s=900):
        """Let everything happen before that second."""
        if self.world.clock.now_us < s(until_s):
            self.world.clock.run(s(until_s))

    def routes(self, until_s=900):
        """(second, prefix, event) of worker-1's two paths."""
        self.run(until_s)
        facts = self.world.timeline.of(RouteChanged)
        return [(f.time_us / 1e6, NAMES[f.prefix], f.event) for f in facts if f.node == "worker-1"]

    def path(self, name="P", until_s=900):
        """(second, event) of one of them."""
        return [(at_s, event) for at_s, prefix, event in self.routes(until_s) if prefix == name]
