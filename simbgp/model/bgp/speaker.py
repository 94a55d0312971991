"""The BGP speaker of a node: a process with one peer per router, and its rule when to announce after a restart."""

from functools import partial
from typing import TYPE_CHECKING

from simbgp.model.clock import Order
from simbgp.model.cluster.endpoints import Endpoint
from simbgp.scenario.plan import ServicePlan
from simbgp.timeline.facts import AgentChanged

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session
    from simbgp.model.world import World
    from simbgp.profiles import SpeakerProfile


class Speaker:
    """GoBGP as Cilium embeds it. After a restart with R set it may defer its UPDATEs (RFC 4724 §4.1)."""

    def __init__(self, world: "World", node: str, runs: bool) -> None:
        self._world = world
        self._node = node
        self.runs = runs
        self.stalled_until_us = 0
        self._starts = 0
        self._routes_ready_us = 0
        self._reconciles = 0
        self._wanted: dict[str, tuple[str, ...]] = {}
        """The prefixes of a service that are announced, where these are not as at the start."""
        self._silent: list[Session] = []
        """Sessions that are Established and to which nothing was announced yet."""

    @property
    def _profile(self) -> "SpeakerProfile":
        """That of the release which runs now."""
        return self._world.node(self._node).profile

    def start(self) -> None:
        """The process is up and may dial."""
        self.runs = True
        self._note(up=True)
        self._starts += 1
        law, now_us = self._world.node(self._node).profile.routes_ready, self._world.clock.now_us
        self._routes_ready_us = now_us + self._world.tape.draw_us(law, self._node, "routes-ready", self._starts)
        for session in self._world.sessions_of(self._node):
            session.bfd.look()
            session.node.start()

    def kill(self) -> None:
        """The process dies; the kernel closes its sockets."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.kill()
            session.bfd.look()

    def terminate(self) -> None:
        """SIGTERM."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.terminate()
            session.bfd.look()

    def vanish(self) -> None:
        """The host is gone."""
        self._end()
        for session in self._world.sessions_of(self._node):
            session.node.vanish()

    def stall(self, until_us: int) -> None:
        """The process gets no CPU until then; its kernel goes on acknowledging."""
        if until_us <= self.stalled_until_us or not self.runs:
            return
        if self.stalled_until_us <= self._world.clock.now_us:
            for session in self._world.sessions_of(self._node):
                if session.node.connection is not None:
                    session.node.connection.node_stalls()
        self.stalled_until_us = until_us
        self._world.clock.at(until_us, partial(self._wake, until_us), Order.TIMER)

    def _wake(self, until_us: int) -> None:
        if until_us != self.stalled_until_us or not self.runs:
            return
        for session in self._world.sessions_of(self._node):
            if session.node.connection is not None:
                u = self._world.tape.u(session.entity, "node-reads-first", until_us)
                session.node.connection.node_wakes(u < self._world.node(self._node).profile.reads_before_expiry)

    def established(self, session: "Session") -> None:
        """A session came up: announce now, or after a restart when all End-of-RIBs are in or the deferral is over."""
        if not session.node.restarting:
            self._announce(session)
            return
        self._silent.append(session)
        clock, cycle, deferral_s = self._world.clock, session.node.cycle, self._profile.deferral_s
        wait_us = self._end_of_rib_after_us(session)
        if wait_us is not None:
            clock.at(clock.now_us + wait_us, lambda: self._end_of_rib(session, cycle), Order.PACKET)
        due_us = clock.now_us + round(deferral_s * 1e6)
        clock.at(due_us, partial(self._deferral_over, session, cycle, self._starts), Order.TIMER)

    def _end_of_rib_after_us(self, session: "Session") -> int | None:
        """When the router's End-of-RIB is in, 0 if nobody waits for it, None if it is waited for and never comes."""
        router, negotiated = self._world.router(session.peering.router), session.restart_negotiated
        if not self._profile.waits_for_end_of_rib or (negotiated and router.sets_restart_bit):
            return 0
        if not negotiated and not session.profile.end_of_rib_unasked:
            return None
        return router.end_of_rib.wait_us(session, len(self._world.index.nodes_of_router[router.name]))

    def _end_of_rib(self, session: "Session", cycle: int) -> None:
        """The router's End-of-RIB is in, or not waited for."""
        if session in self._silent and session.node.cycle == cycle:
            session.node.heard_end_of_rib = True
            self._announce_if_complete()

    def _deferral_over(self, session: "Session", cycle: int, start: int) -> None:
        """Each router has selection deferral timers of its own, one for each time that its session came up."""
        outlives = self._profile.deferral_outlives_session
        mine = self._starts == start if outlives else session.node.cycle == cycle
        if session in self._silent and mine:
            self._silent.remove(session)
            self._announce(session)

    def _announce_if_complete(self) -> None:
        if not all(session.node.heard_end_of_rib for session in self._silent):
            return
        if self._profile.waits_for_unestablished and self._missing():
            return
        self._synchronised()

    def _missing(self) -> bool:
        """Whether a configured restart-capable router is not Established."""
        sessions = self._world.sessions_of(self._node)
        return any(s.peering.restart.enabled and s.node.enabled.up and s.node.state != "established" for s in sessions)

    def _synchronised(self) -> None:
        """Announce to all that waited; some releases pass over routers without graceful restart, for good."""
        silent, self._silent = self._silent, []
        for session in self._world.sessions_of(self._node):
            if session in silent or self._profile.clears_restart_bit:
                session.node.restarting = False
        for session in silent:
            if session.restart_negotiated or not self._profile.passes_over_plain_peers:
                self._announce(session)
            elif self._routes_ready_us > self._world.clock.now_us:
                late = partial(self._deliver_late, session, session.node.cycle)
                self._world.clock.at(self._routes_ready_us, late, Order.PACKET)

    def _announce(self, session: "Session") -> None:
        """Send what there is, and End-of-RIB; routes that come to the process only later follow on their own."""
        session.node.restarting = False
        law, clock = self._world.node(self._node).profile.update_delay, self._world.clock
        delay_us = self._world.tape.draw_us(law, session.entity, "update-delay", session.node.cycle)
        cycle, arrives_us = session.node.cycle, clock.now_us + delay_us
        ready = self._routes_ready_us <= arrives_us
        clock.at(arrives_us, partial(self._deliver, session, cycle, ready), Order.PACKET)
        if not ready:
            clock.at(self._routes_ready_us, partial(self._deliver_late, session, cycle), Order.PACKET)

    def _deliver(self, session: "Session", cycle: int, with_routes: bool) -> None:
        if session.node.cycle == cycle and session.router.state == "established":
            session.router.rib.announced(session.prefixes() if with_routes else ())

    def _deliver_late(self, session: "Session", cycle: int) -> None:
        if session.node.cycle == cycle and session.router.state == "established":
            session.router.rib.updated(session.prefixes(), ())

    # services

    def service_seen(self, service: ServicePlan, listed: tuple[Endpoint, ...], addresses: tuple[str, ...]) -> None:
        """The node sees other endpoints of a service, or other addresses: it may announce it now, or may no longer.

        A Cluster service is announced by every node, pods or none; a Local one by nodes with a pod of their own.
        """
        wanted = addresses if self._may_announce(service, listed) else ()
        if wanted == self._wanted.get(service.name, self._at_start(service)):
            return
        self._wanted[service.name] = wanted
        sessions = self._world.sessions_of(self._node)
        for session in sessions:
            for prefix in service.prefixes:
                self._set_wanted(session, prefix, prefix in wanted)
        self._reconciles += 1
        law, now_us = self._world.node(self._node).profile.reconcile, self._world.clock.now_us
        delay_us = self._world.tape.draw_us(law, self._node, "reconcile", self._reconciles)
        self._world.clock.at(now_us + delay_us, partial(self._update, service), Order.RECONCILE)

    def _at_start(self, service: ServicePlan) -> tuple[str, ...]:
        if service.added:
            return ()
        has_pod = (backend.node == self._node and not backend.late for backend in service.backends)
        return service.prefixes if service.policy == "Cluster" or any(has_pod) else ()

    def _may_announce(self, service: ServicePlan, listed: tuple[Endpoint, ...]) -> bool:
        plan, profile = self._world.plan, self._world.node(self._node).profile
        keeps = plan.routable_without_endpoints or not profile.withdraws_without_backends
        if service.policy == "Cluster" and keeps:
            return True
        counted = [e for e in listed if e.phase == "active" or profile.local_route_needs == "any"]
        if service.policy == "Local":
            return any(endpoint.node == self._node for endpoint in counted)
        return bool(counted)

    @staticmethod
    def _set_wanted(session: "Session", prefix: str, wanted: bool) -> None:
        if wanted:
            session.withheld.pop(prefix, None)
            if prefix not in session.peering.prefixes and session.may_announce(prefix):
                session.gained[prefix] = None
        else:
            session.gained.pop(prefix, None)
            session.withheld[prefix] = None

    def _update(self, service: ServicePlan) -> None:
        """UPDATEs for what changed, to every router that is announced to."""
        for session in self._world.sessions_of(self._node):
            if session.node.state != "established" or session in self._silent:
                continue
            wanted = tuple(prefix for prefix in service.prefixes if prefix in session.prefixes())
            session.router.rib.updated(wanted, tuple(p for p in service.prefixes if p not in wanted))

    def forget(self, session: "Session") -> None:
        """The session was lost: it no longer waits for its UPDATEs."""
        if session in self._silent:
            self._silent.remove(session)

    def _note(self, up: bool) -> None:
        node, timeline = self._world.node(self._node), self._world.timeline
        timeline.write(AgentChanged(self._world.clock.now_us, self._node, up, node.profile.name))

    def _end(self) -> None:
        if self.runs:
            self._note(up=False)
        self.runs = False
        self.stalled_until_us = 0
        self._silent.clear()
