"""A slow second implementation: one connection after the other, packet by packet, without arrays.

It shares the luck of lossy paths, whose law has tests of its own: epochs only say when luck is drawn anew.
"""

from dataclasses import dataclass, field

import numpy as np
from traffic_worlds import VIP

from simbgp.scenario.plan import Plan
from simbgp.timeline import PathChanged, Timeline
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.datapath import Datapath
from simbgp.traffic.ecmp import next_hop_group
from simbgp.traffic.history import History
from simbgp.traffic.luck import Luck, Purpose
from simbgp.traffic.mixing import mix

PROBE_US = 209_000
SYN_S = (0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67)


@dataclass
class Client:
    """One connection from tor-1 to the VIP; `live` returns its fate."""

    plan: Plan
    timeline: Timeline
    key: int
    dialled_us: int
    phase_us: int
    life_us: int
    waits: list[int] = field(default_factory=list)
    connect_delay_us: int = 0
    opened_us: int | None = None
    over_us: int | None = None
    owners: dict[int, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.history = History(self.plan, self.timeline)
        self.service = self.plan.services[0]
        self.horizon_us = self.plan.horizon_us
        self.places = self.history.origins("tor-1", VIP)
        self.conntrack: dict[tuple[int, int], int] = {}
        self.epochs = Datapath(self.plan, self.history, "tor-1", VIP, self.service).times
        self.luck = Luck(np.array([self.key], dtype=np.uint64))
        self.dsr = self.plan.load_balancer.mode == "dsr" or self.service.policy == "Local"
        self.said: dict[tuple[str, str], list[PathChanged]] = {}
        for fact in self.timeline.of(PathChanged):
            self.said.setdefault((fact.router, fact.node), []).append(fact)
        self.apart = self.plan.load_balancer.mode == "dsr" and self.service.policy == "Cluster"

    def live(self) -> str:
        if not self.open():
            return "not_opened"
        interval_us = round(self.plan.traffic[0].request_interval_s * 1e6)
        at_us = self.first_us = max(self.opened_us or 0, 0) + self.phase_us
        free_us = self.opened_us
        last_us = self.life_us if self.opened_us == -1 else self.opened_us + self.life_us
        while at_us <= last_us and at_us < self.horizon_us:
            reply = self.send(at_us, 0.0 if self.vanishes(at_us, free_us, interval_us) else 1.0)
            if reply == "reset":
                self.over_us = at_us
                return "reset"
            if reply != "answered":
                until_us, fate = self.wait(at_us)
                if fate != "delayed":
                    self.over_us = until_us
                    return fate
                free_us = until_us
                at_us += -(-(until_us - at_us) // interval_us) * interval_us
                continue
            at_us += interval_us
        return "delayed" if self.waits or self.connect_delay_us else "unaffected"

    def moves(self, fate: str) -> bool:
        """Whether the next hop changed while the connection lived."""
        if fate == "not_opened":
            return False
        last_us = self.life_us if self.opened_us == -1 else self.opened_us + self.life_us
        times = self.group_times()
        over_us = self.over_us if self.over_us is not None else self.horizon_us
        alive = [t for t in times if self.opened_us < t <= last_us and t < min(over_us, self.horizon_us)]
        owners = [owner for owner in map(self.owner, alive) if owner is not None]
        return any(owner != self.home for owner in owners)

    def group_times(self) -> list[int]:
        """When next hops may change."""
        return self.history.groups("tor-1", VIP).times

    def open(self) -> bool:
        if self.dialled_us < 0 and self.dial(-1, 1.0) == "answered":
            self.opened_us = -1
            return True
        first_us = max(self.dialled_us, 0)
        for offset_s in SYN_S:
            at_us = first_us + offset_s * 1_000_000
            reply = self.dial(min(at_us, self.horizon_us), self.drawn(at_us, Purpose.SYN))
            if reply == "answered":
                self.opened_us = min(at_us, self.horizon_us)
                self.connect_delay_us = self.opened_us - first_us
                self.phase_us = 0
                return True
            if reply == "rejected" or at_us > self.horizon_us:
                return False
        return False

    def wait(self, since_us: int) -> tuple[int, str]:
        for k in range(10):
            at_us = since_us + PROBE_US * 2**k
            seen_us = min(at_us, self.horizon_us)
            reply = self.send(seen_us, self.drawn(at_us, Purpose.RETRANSMISSION))
            if reply == "answered" or (reply == "hole" and at_us > self.horizon_us and self.socket(seen_us)):
                self.waits.append(seen_us - since_us)
                return (seen_us if at_us <= self.horizon_us else 2**60), "delayed"
            if reply == "reset":
                return seen_us, "reset"
            if at_us > self.horizon_us:
                return seen_us, "timed_out"
        raise AssertionError("the horizon is too far for this reference")

    def owner(self, at_us: int) -> int | None:
        """Who gets a packet of that moment, looked up once."""
        if at_us not in self.owners:
            self.owners[at_us] = self.found_owner(at_us)
        return self.owners[at_us]

    def found_owner(self, at_us: int) -> int | None:
        members, skipped, _ = self.history.groups("tor-1", VIP).at(at_us)
        if not members:
            return None
        group = next_hop_group(self.plan.routers[0].ecmp.hash, (1,) * len(members))
        place = int(group.owners(np.array([self.key >> 32], dtype=np.uint32))[0])
        turn = [*members[place:], *members[:place]]
        return self.places.index(next((node for node in turn if node not in skipped), members[place]))

    def router(self, at_us: int) -> str | None:
        return "tor-1"

    def path(self, router: str, node: str, at_us: int) -> PathChanged:
        """What was last said of a link."""
        said = [PathChanged(-1, router, node, 0.0), *self.said.get((router, node), [])]
        return next(fact for fact in reversed(said) if fact.time_us <= at_us)

    def lost_share(self, at_us: int) -> float:
        """What vanishes of questions; of answers too, if these take the same way."""
        place = self.owner(at_us)
        if place is None:
            return 0.0
        path = self.path(self.router(at_us), self.places[place], at_us)
        return path.lost_to_node if self.apart else path.lost_share

    def lost_answers(self, at_us: int, backend: int, place: int) -> float:
        """What vanishes of the answers of a backend, or of the node itself, on a way of their own."""
        if not self.apart:
            return 0.0
        router, host = self.router(at_us), self.service.backends[backend].node if backend >= 0 else self.places[place]
        linked = list(dict.fromkeys(peering.router for peering in self.plan.peerings if peering.node == host))
        own = (router, host) in self.said or router in linked
        if own and self.path(router, host, at_us).carrier:
            return self.path(router, host, at_us).lost_to_router
        rest = [self.path(other, host, at_us) for other in linked if other != router]
        usable = [path.lost_to_router for path in rest if path.carrier]
        if not usable:
            return 1.0 if own or rest else 0.0
        slot = int(mix(np.array([self.key], dtype=np.uint64), np.array([0x0A45]))[0]) >> 32
        return usable[slot % len(usable)] if any(usable) else 0.0

    def drawn(self, at_us: int, purpose: Purpose) -> float:
        """The luck of one packet; beyond the horizon none vanishes that is not sure to."""
        if at_us > self.horizon_us or not self.said:
            return 1.0
        return float(self.luck.draw(np.array([0]), np.array([at_us]), purpose)[0])

    def vanishes(self, at_us: int, free_us: int, interval_us: int) -> bool:
        """Whether the request is the one that the luck of this stretch of time names."""
        place = self.owner(at_us)
        share = self.lost_share(at_us)
        if share == 1.0 or place is None or not self.history.forwarding(self.places[place]).at(at_us):
            share = 0.0
        back = self.lost_answers(at_us, self.backend, -1) if place is not None else 0.0
        if 0.0 < back < 1.0:
            share = 1.0 - (1.0 - share) * (1.0 - back)
        if share == 0.0:
            return False
        since_us = max(free_us, max(epoch for epoch in self.epochs.tolist() if epoch <= at_us))
        before = sum(1 for sent in range(self.first_us, at_us, interval_us) if sent >= since_us)
        return before == self.luck.passes(np.array([0]), np.array([since_us]), np.array([share]))[0]

    def node(self, at_us: int, luck: float) -> int | None:
        place = self.owner(at_us)
        if place is None or self.lost_share(at_us) == 1.0 or luck < self.lost_share(at_us):
            return None
        return place if self.history.forwarding(self.places[place]).at(at_us) else None

    def heard(self, reply: str, at_us: int, backend: int, place: int, luck: float) -> str:
        """The reply, or nothing if it vanishes on the way."""
        back = self.lost_answers(at_us, backend, place)
        if back == 0.0 or (back < 1.0 and luck >= 1.0 - (1.0 - self.lost_share(at_us)) * (1.0 - back)):
            return reply
        return "hole"

    def pick(self, place: int, at_us: int) -> int:
        views = self.history.view(self.places[place], "web")
        before = sum(len(self.history.view(node, "web").times) for node in self.places[:place])
        revision = before + sum(time_us <= at_us for time_us in views.times) - 1
        balancer = Balancer(self.plan.load_balancer, self.service)
        held = balancer.places(views.at(at_us).backends)
        if not len(held):
            return -1
        if self.plan.load_balancer.algorithm == "maglev":
            return int(held[(self.key & 0xFFFFFFFF) % len(held)])
        losses = self.history.conntrack(self.places[place]).at(at_us)
        luck = int(mix(np.array([self.key], dtype=np.uint64), np.array([revision | losses << 32]))[0])
        return int(held[(luck >> 32) * len(held) >> 32])

    def life(self, backend: int, at_us: int) -> int:
        return self.history.life("web", self.service.backends[backend].name).at(at_us)

    def socket(self, at_us: int) -> bool:
        return self.life(self.backend, at_us) == self.born

    def dial(self, at_us: int, luck: float) -> str:
        place = self.node(at_us, luck)
        if place is None:
            return "hole"
        losses = self.history.conntrack(self.places[place]).at(at_us)
        view = self.history.view(self.places[place], "web").at(at_us)
        known = [self.service.backends.index(b) for b in self.service.backends if b.name in view.names]
        backend = self.conntrack.get((place, losses), -1)
        if backend not in known:
            backend = self.pick(place, at_us)
        if backend < 0:
            return self.heard("rejected", at_us, -1, place, luck)
        self.conntrack[place, losses] = backend
        if self.life(backend, at_us) % 2:
            return "dead"
        reply = self.heard("answered", at_us, backend, place, luck)
        if reply == "answered":
            self.home, self.home_losses, self.backend, self.born = place, losses, backend, self.life(backend, at_us)
        return reply

    def send(self, at_us: int, luck: float) -> str:
        place = self.node(at_us, luck)
        if place is None:
            return "hole"
        losses = self.history.conntrack(self.places[place]).at(at_us)
        if (place, losses) not in self.conntrack:
            picked = self.pick(place, at_us)
            if picked < 0:
                return "dead"
            self.conntrack[place, losses] = picked
        backend = self.conntrack[place, losses]
        if self.life(backend, at_us) % 2:
            return "dead"
        same_tuple = self.dsr or (place, losses) == (self.home, self.home_losses)
        reply = "answered" if backend == self.backend and self.socket(at_us) and same_tuple else "reset"
        return self.heard(reply, at_us, backend, place, luck)
