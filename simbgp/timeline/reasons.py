"""Why one end of a session changed its state: every reason that a fact may give, and no other.

What reads a timeline decides by the member, never by its text; the text is for people.
"""

from enum import StrEnum


class Reason(StrEnum):
    """A reason; its value is what results and timelines print."""

    # the speaker's process and its host
    SPEAKER_STARTED = "speaker started"
    SPEAKER_KILLED = "speaker killed"
    SPEAKER_STOPPED = "speaker stopped"
    NODE_LOST_POWER = "node lost power"
    ROUTER_STARTED = "router's daemon started"
    ROUTER_LOST_POWER = "router lost power"

    # NOTIFICATIONs (RFC 4271 §4.5, RFC 4486, RFC 8538), sent or received
    HOLD_EXPIRED_SENT = "NOTIFICATION 4/0 hold timer expired"
    SHUTDOWN = "NOTIFICATION 6/2 administrative shutdown"
    DECONFIGURED = "NOTIFICATION 6/3 peer de-configured"
    ADMIN_RESET = "NOTIFICATION 6/4 administrative reset"
    COLLISION = "NOTIFICATION 6/7 connection collision"
    HARD_RESET = "NOTIFICATION 6/9 hard reset"
    BFD_DOWN = "NOTIFICATION 6/10 BFD down"

    # TCP and the link
    TCP_CLOSED = "TCP connection closed"
    TCP_RESET = "TCP connection reset by a rebooted host"
    REPLACED = "new connection from a peer that restarted"
    INTERFACE_DOWN = "interface down"

    # timers
    HOLD_EXPIRED = "hold timer expired"
    IDLE_HOLD_OVER = "idle hold over"
    RESTART_TIME_OVER = "restart time over"
    ROUTER_RESTART_TIME_OVER = "the router's restart time is over"

    # on the way to Established
    READY = "ready for a connection"
    TCP_CONNECTED = "TCP connected"
    TCP_ACCEPTED = "TCP connection accepted"
    OPEN_ACCEPTED = "OPEN accepted"
    KEEPALIVE_RECEIVED = "KEEPALIVE received"
    HALF_OPEN_LOST = "connection lost before Established"
    NO_OPEN = "no OPEN within 240 s"
    ROUTER_IDLE = "connection closed: the router's end is idle"
    OLD_SESSION_LIVES = "connection closed: the router's old session still lives"
    CLOSED_WITH_OLD_SESSION = "connection closed with the old session"
