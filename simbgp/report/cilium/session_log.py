"""What GoBGP logs of a session, by why it changed its state: ``pkg/server/fsm.go`` of v3.36.0 and v4.6.0.

Only lines at the level info and above, in an order that the source fixes. Left out where it does not: the line for the
NOTIFICATION 4/0 of GoBGP 3 without graceful restart, which another goroutine writes and may never get to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from simbgp.report.cilium.log_lines import Level, Value
from simbgp.timeline import Reason

Own = Literal["", "removed", "shutdown", "reset"]
Said = tuple[Level, str, tuple[tuple[str, Value], ...]]
_UP = ("State", "BGP_FSM_ESTABLISHED")
_CEASE_NAMES = {2: "administrative shutdown", 3: "peer deconfigured", 4: "administrative reset"}
_TO_PEOPLE = (2, 4)
"""Cease subcodes that carry a text to be read by people (RFC 9003)."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How GoBGP sees the end of an Established session; ``code`` and ``subcode`` are the NOTIFICATION's."""

    how: Literal["read", "hold", "notified", "silent", "none"]
    code: int = 6
    subcode: int = 0


_CLOSED, _SILENT, _NONE = Ending("read"), Ending("silent"), Ending("none")
ENDINGS: Mapping[Reason, Ending] = {
    Reason.TCP_CLOSED: _CLOSED,
    Reason.TCP_RESET: _CLOSED,
    Reason.REPLACED: _CLOSED,
    Reason.HOLD_EXPIRED: Ending("hold", 4),
    Reason.HOLD_EXPIRED_SENT: Ending("notified", 4),
    Reason.SHUTDOWN: Ending("notified", subcode=2),
    Reason.DECONFIGURED: Ending("notified", subcode=3),
    Reason.ADMIN_RESET: Ending("notified", subcode=4),
    Reason.COLLISION: Ending("notified", subcode=7),
    Reason.HARD_RESET: Ending("notified", subcode=9),
    Reason.BFD_DOWN: Ending("notified", subcode=10),
    Reason.SPEAKER_KILLED: _SILENT,
    Reason.SPEAKER_STOPPED: _SILENT,
    Reason.NODE_LOST_POWER: _SILENT,
    # what is no end of an Established session at the node
    Reason.SPEAKER_STARTED: _NONE,
    Reason.ROUTER_STARTED: _NONE,
    Reason.ROUTER_LOST_POWER: _NONE,
    Reason.INTERFACE_DOWN: _NONE,
    Reason.IDLE_HOLD_OVER: _NONE,
    Reason.RESTART_TIME_OVER: _NONE,
    Reason.ROUTER_RESTART_TIME_OVER: _NONE,
    Reason.READY: _NONE,
    Reason.TCP_CONNECTED: _NONE,
    Reason.TCP_ACCEPTED: _NONE,
    Reason.OPEN_ACCEPTED: _NONE,
    Reason.KEEPALIVE_RECEIVED: _NONE,
    Reason.HALF_OPEN_LOST: _NONE,
    Reason.NO_OPEN: _NONE,
    Reason.ROUTER_IDLE: _NONE,
    Reason.OLD_SESSION_LIVES: _NONE,
    Reason.CLOSED_WITH_OLD_SESSION: _NONE,
}
"""Every reason of the model."""


@dataclass(frozen=True, slots=True)
class Session:
    """What decides over the wording: GoBGP's major version, what was negotiated, and whose doing the end was."""

    gobgp: Literal["3", "4"]
    restart: bool
    notification: bool
    own: Own = ""


def established(session: Session) -> Said:
    """The session came up."""
    fields: tuple[tuple[str, Value], ...] = (("State", "BGP_FSM_OPENCONFIRM"),) if session.gobgp == "3" else ()
    return "info", "Peer Up", fields


def ended(reason: Reason, session: Session) -> Iterator[Said]:
    """An Established session ended for ``reason``."""
    ending = ENDINGS[reason]
    match ending.how:
        case "read":
            yield from _lost("read-failed", graceful=session.restart)
        case "hold":
            yield "warning", "hold timer expired", (_UP,)
            if session.gobgp == "4" or session.restart:
                yield _notification("sent", ending, session)
            yield from _lost("hold-timer-expired", graceful=session.restart)
        case "notified" if session.own:
            yield from _ended_by_itself(ending, session)
        case "notified":
            yield _notification("received", ending, session)
            kept = session.restart and session.notification
            hard = kept and ending.subcode == 9
            why = "hard-reset" if hard else f"notification-received {_code_text(ending)}"
            yield from _lost(why, graceful=kept and not hard)


def restart_timer_expired() -> Said:
    """A helper waited for the router's restart time, and the router did not come back."""
    return "warning", "graceful restart timer expired", (("State", "BGP_FSM_ACTIVE"),)


def _ended_by_itself(ending: Ending, session: Session) -> Iterator[Said]:
    removed = session.own == "removed"
    sent = Ending("notified", subcode=9) if removed and session.restart and session.notification else ending
    if session.own == "shutdown":
        yield "info", "Administrative shutdown", (_UP,)
    if session.gobgp == "4" or not removed:  # v3 writes that of a removed peer past its logger
        yield _notification("sent", sent, session)
    if removed:
        yield from _lost("dying" if session.gobgp == "3" else "unknown", graceful=False)
    elif session.own == "shutdown" and session.gobgp == "4":
        yield from _lost("admin-down", graceful=False)
    else:
        yield from _lost(f"notification-sent {_code_text(sent)}", graceful=False)


def _lost(why: str, graceful: bool) -> Iterator[Said]:
    if graceful:
        yield "info", "peer graceful restart", (_UP,)
    yield "info", "Peer Down", (_UP, ("Reason", "graceful-restart" if graceful else why))


def _notification(way: str, ending: Ending, session: Session) -> Said:
    """A NOTIFICATION: a warning in v3, a piece of information in v4."""
    said = "Peer configuration changed" if session.own == "reset" else ""
    people = (("Communicated-Reason", said),) if ending.code == 6 and ending.subcode in _TO_PEOPLE else ()
    state = (_UP,) if way == "sent" else ()
    fields = (*state, ("Code", ending.code), ("Subcode", ending.subcode), *people, ("Data", b""))
    return "warning" if session.gobgp == "3" else "info", f"{way} notification", fields


def _code_text(ending: Ending) -> str:
    """``NotificationErrorCode.String`` (pkg/packet/bgp/bgp.go); its list of names ends at 8."""
    code, names = ("cease", _CEASE_NAMES) if ending.code == 6 else ("hold timer expired", {})
    name = names.get(ending.subcode, "connection collision resolution" if ending.subcode == 7 else "undefined")
    return f"code {ending.code}({code}) subcode {ending.subcode}({name})"
