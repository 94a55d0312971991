from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_runs import cli

from simbgp.report.cilium.log_lines import Line, as_json, text
from simbgp.report.cilium.session_log import ENDINGS, Session, ended
from simbgp.timeline import Reason

ZERO = datetime(2024, 6, 15, 2, 20, 59, tzinfo=UTC)
AGENT = "agent.controlplane.bgp-control-plane", "bgp-control-plane"


def test_gobgp_has_a_word_for_every_reason_of_the_model() -> None:
    assert set(ENDINGS) == set(Reason)


def test_logrus_lines_are_those_of_a_real_agent() -> None:
    """Two lines of cilium/cilium#33163, and the address of one of #24975, which is quoted for its colons."""
    adding = Line(
        0,
        "n",
        "logrus",
        "info",
        "Adding peer",
        *AGENT,
        (("instance", "control-plane"), ("peer", "frr"), ("reconciler", "Neighbor")),
    )
    assert text(adding, ZERO) == (
        'time="2024-06-15T02:20:59Z" level=info msg="Adding peer" instance=control-plane peer=frr reconciler=Neighbor '
        "subsys=bgp-control-plane"
    )
    gobgp = ("asn", 65001), ("component", "gobgp.BgpServerInstance"), ("Topic", "Peer")
    added = Line(0, "n", "logrus", "info", "Add a peer configuration", *AGENT, (*gobgp, ("Key", "10.0.1.1")))
    assert text(added, ZERO) == (
        'time="2024-06-15T02:20:59Z" level=info msg="Add a peer configuration" Key=10.0.1.1 Topic=Peer asn=65001 '
        "component=gobgp.BgpServerInstance subsys=bgp-control-plane"
    )
    six = Line(0, "n", "logrus", "info", "Add a peer configuration", *AGENT, (("Key", "fd9c:de81:5c4d:8::1"),))
    assert 'Key="fd9c:de81:5c4d:8::1"' in text(six, ZERO)


def test_slog_quotes_less_and_keeps_the_order() -> None:
    line = Line(
        1_500_000, "n", "slog", "warning", "sent notification", *AGENT, (("Key", "fd00::1"), ("Code", 6), ("Data", b""))
    )
    assert text(line, ZERO) == (
        'time=2024-06-15T02:21:00.5Z level=warn msg="sent notification" module=agent.controlplane.bgp-control-plane '
        'Key=fd00::1 Code=6 Data="" subsys=bgp-control-plane'
    )
    assert as_json(line, ZERO) == (
        '{"time":"2024-06-15T02:21:00.5Z","level":"warn","msg":"sent notification",'
        '"module":"agent.controlplane.bgp-control-plane","Key":"fd00::1","Code":6,"Data":"","subsys":"bgp-control-plane"}'
    )


def said(reason: Reason, session: Session) -> list[str]:
    return [
        f"{level} {message} {dict(fields).get('Reason', '')}".rstrip()
        for level, message, fields in ended(reason, session)
    ]


GRACEFUL = ["info peer graceful restart", "info Peer Down graceful-restart"]
SENT, RECEIVED = "info sent notification", "warning received notification"
HELD = "warning hold timer expired"
CEASE = "code 6(cease) subcode"


@pytest.mark.parametrize(
    ("reason", "session", "lines"),
    [
        (Reason.TCP_CLOSED, Session("3", False, False), ["info Peer Down read-failed"]),
        (Reason.TCP_CLOSED, Session("3", True, False), GRACEFUL),
        (Reason.HOLD_EXPIRED, Session("3", False, False), [HELD, "info Peer Down hold-timer-expired"]),
        (Reason.HOLD_EXPIRED, Session("4", True, True), [HELD, SENT, *GRACEFUL]),
        (  # the router's, without and with the N bit (RFC 8538)
            Reason.SHUTDOWN,
            Session("3", True, False),
            [RECEIVED, f"info Peer Down notification-received {CEASE} 2(administrative shutdown)"],
        ),
        (Reason.SHUTDOWN, Session("3", True, True), [RECEIVED, *GRACEFUL]),
        (Reason.HARD_RESET, Session("3", True, True), [RECEIVED, "info Peer Down hard-reset"]),
        (
            Reason.ADMIN_RESET,
            Session("4", True, True, "reset"),
            [SENT, f"info Peer Down notification-sent {CEASE} 4(administrative reset)"],
        ),
        (Reason.DECONFIGURED, Session("3", True, True, "removed"), ["info Peer Down dying"]),
        (Reason.SPEAKER_KILLED, Session("4", True, True), []),
    ],
)
def test_what_gobgp_says_at_the_end_of_a_session(reason: Reason, session: Session, lines: list[str]) -> None:
    assert said(reason, session) == lines


FILE = """\
cluster: {cilium: "1.20", nodes: 2, localASN: 65001, startup: {agent: 10s}}
routers: [{name: tor, profile: frr-8.4, asn: 65000, address: 10.9.0.1}]
faults:
  - {at: 60s, kind: agent-crash, node: worker-1, downFor: 20s}
  - {at: 200s, kind: operator-down, downFor: 30s}
  - {at: 300s, kind: unlabel, node: worker-2}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(FILE)
    return str(path)


def test_a_start_of_an_agent_is_told_in_order(file: str) -> None:
    lines = cli("show", "logs", "-f", file, "--at", "100", "--node", "worker-1").out.splitlines()
    assert [line.split('msg="')[1].split('"')[0] for line in lines] == [
        "Cilium BGP Control Plane Controller now running...",
        "BGP Control Plane waiting for datapath initialization",
        "BGP Control Plane datapath ready, starting event processing",
        "Registering BGP instance",
        "Reconciling peers for instance",
        "Adding peer",
        "Add a peer configuration",
        "Peer Up",
    ]
    assert all(line.startswith("time=2026-01-01T00:01:30Z") for line in lines[:-1])  # 60 s + 20 s + 10 s to start
    assert all(line.endswith("subsys=bgp-control-plane") for line in lines)


def test_the_operator_has_its_own_lines_and_several_processes_are_told_apart(file: str) -> None:
    own = cli("show", "logs", "operator", "-f", file, "--at", "600").out
    assert own.startswith('time=2026-01-01T00:03:50Z level=info msg="BGPv2 control plane operator started"')
    assert own.endswith("subsys=bgp-cp-operator\n")
    whole = cli("show", "logs", "-f", file, "--at", "600").out.splitlines()
    assert {line.split("]")[0] for line in whole} == {
        "[worker-1/cilium-agent",
        "[worker-2/cilium-agent",
        "[cilium-operator",
    }
    removed = [line for line in whole if "worker-2" in line]
    assert [line.split('msg="')[1].split('"')[0] for line in removed] == [
        "Delete a peer configuration",
        "sent notification",
        "Peer Down",
        "Removed BGP instance",
    ]


def test_watch_prints_a_table_when_it_changes_or_every_so_often(file: str) -> None:
    changes = cli("show", "peers", "-f", file, "--watch").out
    moments = [float(line.split()[1]) for line in changes.splitlines() if line.startswith("# ")]
    # at 0; the crash at 60 s hides worker-1, FRR drops its route; from 90 s on it dials and is back
    assert moments[:2] == [0.0, 60.0]
    assert 90.0 in moments
    assert not [at for at in moments if 100 < at < 300]  # ages alone are no change
    every = cli("show", "peers", "-f", file, "--watch", "--every", "200s").out
    assert [line for line in every.splitlines() if line.startswith("# ")] == [
        f"# {at}.000000 s" for at in (0, 200, 400, 600)
    ]
