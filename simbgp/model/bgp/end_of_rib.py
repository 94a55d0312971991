"""When a router's own End-of-RIB is on the wire, for which a restarted speaker may wait (RFC 4724 §4.1)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simbgp.model.bgp.session import Session


class EndOfRib:
    """One router's. Peers that come up while the table of a first one is still held back get it together with that one
    (FRR's update subgroups)."""

    def __init__(self) -> None:
        self._due_us = -1

    def wait_us(self, session: "Session", peers: int) -> int:
        """How long after the session became Established now; ``peers`` are configured at the router."""
        profile, world = session.profile, session.world
        now_us = world.clock.now_us
        if now_us < self._due_us:
            return self._due_us - now_us
        law_us = world.tape.draw_us(profile.end_of_rib, session.entity, "end-of-rib", session.node.cycle)
        wait_us = law_us + round(min(profile.end_of_rib_per_peer_s * peers, profile.end_of_rib_peers_most_s) * 1e6)
        if profile.end_of_rib_shared:
            self._due_us = now_us + wait_us
        return wait_us
