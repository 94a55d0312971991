"""Every step of both ends of one session after one fault, with its reason, and of the path: nothing else may happen.

The cluster of `session_steps`: 9/3, dial 2 s after the node may, connect retry 120, the last keepalives 2 s before the
fault.
The router is RFC 8538's, which is ready for a new connection at once, unless a test says otherwise.
"""

from dataclasses import replace

import pytest
from session_steps import CRASHED, node, path, ready, router, router_ends, stalled, starts, steps, up, world
from worlds import AT_S, cluster, fault, instant, play, since_fault, steady

from simbgp.model.world import World
from simbgp.profiles import Law
from simbgp.scenario.plan import BfdPlan, GracefulRestartPlan, Occurrence, Trial
from simbgp.scenario.tape import Tape
from simbgp.timeline import AgentChanged, PathChanged

GR = GracefulRestartPlan(True, 15)
GOBGP = instant("gobgp-3.10", helper=True, notification=True)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        # the process dies, its kernel closes: FIN
        (fault("agent-crash"), [node(0, "SPEAKER_KILLED"), *router_ends(0, "TCP_CLOSED"), path(0)]),
        (
            fault("agent-crash", 20),
            [
                *(node(0, "SPEAKER_KILLED"), *router_ends(0, "TCP_CLOSED"), path(0)),
                *(starts(20, "SPEAKER_STARTED"), *up(22)),
            ],
        ),
        # SIGTERM to a bare gobgpd: Cease 6/3
        (
            fault("agent-restart", 20),
            [
                *(node(0, "SPEAKER_STOPPED"), *router_ends(0, "DECONFIGURED"), path(0)),
                *(starts(20, "SPEAKER_STARTED"), *up(22)),
            ],
        ),
        # silence: both timers are over 9 s after the keepalives of -2 (event 10)
        (
            fault("link-loss"),
            [*router_ends(7, "HOLD_EXPIRED"), node(7, "HOLD_EXPIRED"), path(7), starts(12)],
        ),
        # first SYN at 14, then 1, 2, 3, 4, 5, 7 s after it: the last one comes through
        (
            fault("link-loss", 20),
            [*router_ends(7, "HOLD_EXPIRED"), node(7, "HOLD_EXPIRED"), path(7), starts(12), *up(21)],
        ),
        (
            fault("node-down", 30),
            [
                *(node(0, "NODE_LOST_POWER"), *router_ends(7, "HOLD_EXPIRED"), path(7)),
                *(starts(30, "SPEAKER_STARTED"), *up(32)),
            ],
        ),
        # back before that: the router's keepalive of 1, repeated at 1 + 16a, is answered with a reset
        (
            fault("node-down", 4),
            [
                *(node(0, "NODE_LOST_POWER"), starts(4, "SPEAKER_STARTED")),
                *(*router_ends(4.344, "TCP_RESET"), path(4.344), *up(6)),
            ],
        ),
        # Cease 6/4, idle 5, dial 2
        (
            fault("session-reset"),
            [node(0, "ADMIN_RESET"), *router_ends(0, "ADMIN_RESET"), path(0), starts(5), *up(7)],
        ),
        (fault("peer-shutdown", 30), [node(0, "SHUTDOWN"), *router_ends(0, "SHUTDOWN"), path(0), starts(35), *up(37)]),
        # the peer is made anew, as by a process that starts
        (
            fault("unlabel", 30),
            [
                *(node(0, "DECONFIGURED"), *router_ends(0, "DECONFIGURED"), path(0)),
                *(starts(30, "SPEAKER_STARTED"), *up(32)),
            ],
        ),
        # the router is dark: the node's timer; its FIB is gone at once
        (
            fault("router-down", 12),
            [
                *(router(0, "ROUTER_LOST_POWER"), path(0), node(7, "HOLD_EXPIRED")),
                *(ready(12, "ROUTER_STARTED"), starts(12), *up(14)),
            ],
        ),
        # its daemon alone: FIN, idle 5, dial 2 is refused at 7, retry 120
        *(
            (
                fault(kind, 30, options=options),
                [
                    *(router(0, why), node(0, why), path(0), starts(5)),
                    *(ready(30, "ROUTER_STARTED"), *up(127)),
                ],
            )
            for kind, options, why in (
                ("router-down", {"host": "refusing"}, "TCP_CLOSED"),
                ("router-restart", {"how": "crash"}, "TCP_CLOSED"),
                ("router-restart", {"how": "stop"}, "SHUTDOWN"),
            )
        ),
        # awake at 20 the node finds its own timer over, of the keepalive of -2
        (
            fault("stall", 20),
            [*router_ends(7, "HOLD_EXPIRED"), path(7), node(20, "HOLD_EXPIRED"), starts(25), *up(27)],
        ),
        # the kernel of a stalled router accepts at 14; awake, the daemon drops the old session and takes the new one
        (
            stalled(0, 20),
            [
                *(node(7, "HOLD_EXPIRED"), starts(12), up(14)[0]),
                *(*router_ends(20, "HOLD_EXPIRED"), path(20), *up(20)[1:]),
            ],
        ),
    ],
    ids=lambda value: f"{value.kind} {value.down_for_us[0]}" if isinstance(value, Occurrence) else "",
)
def test_one_fault_without_graceful_restart(what, expected):
    assert steps(world(), what) == expected


@pytest.mark.parametrize(
    ("profile", "refused", "gone_s"),
    [
        ("rfc8538", "COLLISION", 22),  # RFC 4271 §6.8: the one that is Established stays
        ("frr-8.4", "COLLISION", 22),
        ("gobgp-3.10", "OLD_SESSION_LIVES", 22),
    ],
)
def test_a_rebooted_node_is_refused_until_its_old_session_is_reset(profile, refused, gone_s):
    """90/30, back at 5: dials at 7, 14 and 21 are closed, idle 5 each; the router's keepalive of 22 finds no socket.

    A GoBGP router then closes what comes for 5 s more: its idle hold is over at 27, the dial comes at 28.
    """
    waits = profile == "gobgp-3.10"
    dials = [
        line
        for at_s in (7, 14, 21)
        for line in (up(at_s)[0], node(at_s, refused, "idle", "open_sent"), starts(at_s + 5))
    ]
    ends = [router(gone_s, "TCP_RESET"), *([] if waits else [ready(gone_s)]), path(gone_s)]
    assert steps(world(profile, timers=(90, 30)), fault("node-down", 5)) == [
        *(node(0, "NODE_LOST_POWER"), starts(5, "SPEAKER_STARTED"), *dials[:-1]),
        *(*ends, dials[-1], *([ready(27, "IDLE_HOLD_OVER")] if waits else []), *up(28)),
    ]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        # RFC 4724 §4.2: the new connection replaces the old one, whose routes are stale
        ("rfc8538", [up(7)[0], *router_ends(7, "REPLACED"), path(7, "stale"), *up(7, "refreshed")[1:]]),
        # measured with FRR 8.4.4: both are closed; idle 5, dial 2
        (
            "frr-8.4",
            [
                *(up(7)[0], *router_ends(7, "REPLACED"), path(7, "stale")),
                *(node(7, "CLOSED_WITH_OLD_SESSION", "idle", "open_sent"), starts(12), *up(14, "refreshed")),
            ],
        ),
    ],
)
def test_a_rebooted_node_with_graceful_restart_takes_the_place_of_its_old_session(profile, expected):
    found = steps(world(profile, timers=(90, 30), restart=GR), fault("node-down", 5))
    assert found == [node(0, "NODE_LOST_POWER"), starts(5, "SPEAKER_STARTED"), *expected]


def test_a_connection_into_the_idle_time_of_a_router_is_closed_at_once():
    """GoBGP: 5 s. Dial at 3, closed; the node idles 5, dials at 10."""
    assert steps(world("gobgp-3.10"), fault("agent-crash", 1)) == [
        *(node(0, "SPEAKER_KILLED"), router(0, "TCP_CLOSED"), path(0), starts(1, "SPEAKER_STARTED")),
        *(up(3)[0], node(3, "ROUTER_IDLE", "idle", "open_sent"), ready(5, "IDLE_HOLD_OVER"), starts(8), *up(10)),
    ]


def test_a_restart_in_time_marks_the_path_and_refreshes_it():
    kept = [*CRASHED, path(0, "stale"), starts(4, "SPEAKER_STARTED"), *up(6, "refreshed")]
    assert steps(world(restart=GR), fault("agent-crash", 4)) == kept


def test_a_cold_start_begins_with_a_router_that_waits_and_a_node_that_dials():
    assert steps(world(horizon_s=50.0), since_s=-100) == [starts(-100, "SPEAKER_STARTED"), *up(-98)]


@pytest.mark.parametrize("idle_s", [5, 0.5])
def test_a_router_that_idles_after_the_restart_time_is_down_again_meanwhile(idle_s):
    """GoBGP: idle 5 after the loss, and 5 after the restart time of 15."""
    waits = replace(GOBGP, idle_after=replace(GOBGP.idle_after, restart_expired=Law.constant(idle_s)))
    assert steps(world(waits, restart=GR), fault("agent-crash", 30)) == [
        *(node(0, "SPEAKER_KILLED"), router(0, "TCP_CLOSED"), path(0, "stale"), ready(5, "IDLE_HOLD_OVER")),
        *(router(15, "RESTART_TIME_OVER", "idle", "active"), path(15), ready(15 + idle_s, "IDLE_HOLD_OVER")),
        *(starts(30, "SPEAKER_STARTED"), *up(32)),
    ]


def test_a_sleeping_router_is_idle_from_the_restart_time_until_it_wakes():
    """BIRD alone with its one session: 3 s; the path leaves with that."""
    assert steps(world(instant("bird-2.0", late_wake_s=3.0), restart=GR), fault("agent-crash", 30)) == [
        *(*CRASHED, path(0, "stale"), router(15, "RESTART_TIME_OVER", "idle", "active")),
        *(ready(18, "IDLE_HOLD_OVER"), path(18)),
        *(starts(30, "SPEAKER_STARTED"), *up(32)),
    ]


@pytest.mark.parametrize(
    ("profile", "restart", "then"),
    [
        ("rfc8538", GR, [(7, "refreshed")]),
        ("rfc8538", replace(GR, restart_bit=False), [(6, "withdrawn"), (7, "added")]),  # F=0: RFC 4724 §4.2
        (GOBGP, replace(GR, restart_bit=False), [(7, "refreshed")]),  # ignores F
    ],
)
def test_a_return_without_the_forwarding_bit_costs_what_was_stale(profile, restart, then):
    """Back at 6, the UPDATE a second later."""
    late = steady(update_delay=Law.constant(1.0))
    plan = world(profile, late, restart=restart)
    assert [line for line in steps(plan, fault("agent-crash", 4)) if "path" in line] == [
        *(path(0, "stale"), *(path(at_s, event) for at_s, event in then)),
    ]


def test_the_agent_is_told_of_when_it_ends_and_when_it_runs_again():
    log = play(world(agent_s=3), fault("agent-crash", 4), fault("node-down", 10, at_s=AT_S + 50))
    told = [(since_fault(f.time_us), f.up, f.release) for f in log.of(AgentChanged)]
    assert told == [(at_s, up, "gobgp-3.36") for at_s, up in ((-97, 1), (0, 0), (7, 1), (50, 0), (63, 1))]


def test_the_age_of_a_session_is_spread_over_the_period_of_its_keepalives():
    """90/30: the phase at time 0 is uniform on 30 s; over 60 runs every third of it is met."""
    ages = []
    for run in range(60):
        last_us, next_us = (
            World(Trial(cluster(nodes=1), run, Tape(1, run), ())).sessions_of("worker-1")[0].router_keepalives(0)
        )
        assert next_us - last_us == 30_000_000
        ages.append(-last_us / 1e6)
    assert {int(age // 10) for age in ages} == {0, 1, 2}
    assert len(set(ages)) == 60


def test_the_routers_restart_time_sends_a_waiting_node_back_to_idle():
    """GoBGP 3.36: dial refused at 7, retry 1.9 x 120 at 235; the router's OPEN said 120: idle 5, dial 2."""
    plan = world(restart=GR, speaker=steady(retry_factor=(1.9, 1.9)))
    assert steps(plan, fault("router-restart", 12)) == [
        *(router(0, "TCP_CLOSED"), node(0, "TCP_CLOSED"), path(0), starts(5), ready(12, "ROUTER_STARTED")),
        *(node(120, "ROUTER_RESTART_TIME_OVER", "idle", "active"), starts(125), *up(127)),
    ]


def test_a_dial_into_silence_is_given_up_before_the_connect_retry_time():
    """Dial at 8; given up after 119 (connect retry less 1), retry after 120: 247, 486; the link is back at 401."""
    found = steps(world(), fault("agent-crash", 6), fault("link-loss", 400, at_s=AT_S + 1))
    assert found == [*CRASHED, path(0), starts(6, "SPEAKER_STARTED"), *up(486)]


def test_a_dial_from_a_dark_port_fails_at_once():
    """The node's timer at 7, idle 5, dial at 14 into its own dark port: retry at 134. The router saw the port at 0."""
    assert steps(world("frr-8.4", own_port=True), fault("link-down", 20)) == [
        *(router(0, "INTERFACE_DOWN"), path(0), node(7, "HOLD_EXPIRED"), starts(12), ready(20), *up(134)),
    ]


def test_a_port_that_was_dark_is_forgotten_when_it_is_lit():
    """Back at 134; killed at 200, and the router is ready at once as ever."""
    found = steps(world("frr-8.4", own_port=True), fault("link-down", 20), fault("agent-crash", 4, at_s=AT_S + 200))
    assert found[-12:] == [
        *(node(200, "SPEAKER_KILLED"), *router_ends(200, "TCP_CLOSED"), path(200)),
        *(starts(204, "SPEAKER_STARTED"), *up(206)),
    ]


def test_a_port_that_is_lit_brings_no_dead_daemon_back_and_no_idle_time_anew():
    plan = world("frr-8.4", own_port=True)
    assert steps(plan, fault("router-restart", 30), fault("link-down", 2, at_s=AT_S + 10)) == [
        *(router(0, "TCP_CLOSED"), node(0, "TCP_CLOSED"), path(0.02), starts(5)),
        *(ready(30, "ROUTER_STARTED"), *up(127)),
    ]
    # GoBGP does not watch its ports: idle for 5 s after the loss, whatever the link does at 3
    plan = world("gobgp-3.10", own_port=True)
    assert steps(plan, fault("agent-crash"), fault("link-down", 2, at_s=AT_S + 1)) == [
        *(node(0, "SPEAKER_KILLED"), router(0, "TCP_CLOSED"), path(0), ready(5, "IDLE_HOLD_OVER")),
    ]


def test_a_connection_wakes_a_sleeping_router_which_closes_it_and_is_ready_for_the_next():
    """BIRD, restart time over at 15: dial at 15.5; without it the daemon would sleep until 18. Idle 5, dial 5.5."""
    sleeper = instant("bird-2.0", late_wake_s=3.0)
    speaker = steady("gobgp-3.10", dial_s=5.5, idle_hold_after_refusal=Law.constant(5.0))
    found = steps(world(sleeper, speaker, restart=GR), fault("agent-crash", 10))
    assert found[4:] == [
        *(starts(10, "SPEAKER_STARTED"), router(15, "RESTART_TIME_OVER", "idle", "active")),
        *(up(15.5)[0], node(15.5, "ROUTER_IDLE", "idle", "open_sent"), ready(15.5, "IDLE_HOLD_OVER"), path(15.5)),
        *(starts(20.5), *up(26)),
    ]


def test_where_no_session_is_up_nobody_sends_keepalives():
    session = World(Trial(world(), 0, Tape(1, 0), ())).sessions_of("worker-1")[0]
    assert session.router_keepalives(7_000_000) == (7_000_000, 7_000_000)


def test_a_port_that_goes_dark_sends_a_waiting_router_to_idle():
    assert steps(world("frr-8.4", own_port=True), fault("agent-crash", 30), fault("link-down", 5, at_s=AT_S + 3)) == [
        *(*CRASHED, path(0), router(3, "INTERFACE_DOWN", "idle", "active"), ready(8)),
        *(starts(30, "SPEAKER_STARTED"), *up(32)),
    ]


def test_a_router_that_is_idle_when_its_daemon_ends_is_idle_already():
    assert steps(world("gobgp-3.10"), fault("agent-crash"), fault("router-restart", 10, at_s=AT_S + 2)) == [
        *(node(0, "SPEAKER_KILLED"), router(0, "TCP_CLOSED"), path(0), ready(12, "ROUTER_STARTED")),
    ]


@pytest.mark.parametrize(
    ("profile", "restart", "second", "then"),
    [
        # Cease 6/4 at 50, graceful by RFC 8538 where both ends have said N; idle 5, dial 2
        ("rfc8538", GR, "session-reset", [path(50, "stale"), path(57, "refreshed")]),
        ("rfc8538", replace(GR, notification=False), "session-reset", [path(50), path(57, "added")]),
        ("rfc8538", GR, "agent-crash", [path(50, "stale"), path(65)]),
        (instant(long_lived=True), replace(GR, long_lived_s=10), "agent-crash", [path(50, "stale"), path(75)]),
    ],
)
def test_what_the_second_session_agreed_on_decides_over_its_loss(profile, restart, second, then):
    found = steps(world(profile, restart=restart), fault("agent-crash", 4), fault(second, at_s=AT_S + 50))
    assert [line for line in found if "path" in line] == [path(0, "stale"), path(6, "refreshed"), *then]


def test_a_loss_is_told_of_with_its_link_and_its_share():
    """Both ways: 1 - 0.5 x 0.5; of the other link nothing."""
    log = play(cluster(nodes=2), fault("link-loss", 10, options={"share": 0.5}))
    told = [(since_fault(f.time_us), f.router, f.node, f.lost_share) for f in log.of(PathChanged)]
    assert told == [(0, "tor-1", "worker-1", 0.75), (10, "tor-1", "worker-1", 0.0)]


@pytest.mark.parametrize(
    ("profile", "timers", "node_s", "router_s"),
    [
        # GoBGP's node: its own interval, but a third of a hold time that the router lowered
        (instant("openbgpd-7.7", hold_s=90), (90, 10), 10, 30),  # OpenBGPD: always a third
        (instant("openbgpd-7.7", hold_s=180), (90, 10), 10, 30),
        (instant("openbgpd-7.7", hold_s=9), (90, 10), 3, 3),
        (instant("openbgpd-7.7", hold_s=10), (90, 10), 3.333333, 3.333333),
        (instant("frr-8.4", hold_s=180, keepalive_s=60), (90, 30), 30, 30),  # FRR: its own, a third at most
        (instant("frr-8.4", hold_s=180, keepalive_s=5), (90, 30), 30, 5),
        (instant("gobgp-3.10", hold_s=90, keepalive_s=20), (90, 30), 30, 20),  # GoBGP: its own, or a third
        (instant("gobgp-3.10", hold_s=180, keepalive_s=5), (90, 30), 30, 30),
    ],
)
def test_keepalives_are_as_far_apart_as_each_end_has_it(profile, timers, node_s, router_s):
    """RFC 4271 §4.4, and what each implementation makes of it (profiles)."""
    plan = cluster(nodes=1, routers=(profile,), timers=timers)
    connection = World(Trial(plan, 0, Tape(1, 0), ())).sessions_of("worker-1")[0].router.connection
    for stream, period_s in ((connection.to_router, node_s), (connection.to_node, router_s)):
        last_us, next_us = stream.sent_around(50_000_000)
        assert type(next_us) is int
        assert next_us - last_us == round(period_s * 1e6)


@pytest.mark.parametrize(
    ("later", "then"),
    [
        ([stalled(3, 6)], [up(6)[0], *up(9)[1:]]),  # the router's daemon takes it up when it wakes
        ([fault("stall", 5, at_s=AT_S + 5)], up(10)),  # the node dials when it wakes
    ],
)
def test_who_is_stalled_takes_the_next_step_when_it_wakes(later, then):
    """Without it: dial at 4 + 2."""
    plan, crash = world(), fault("agent-crash", 4)
    assert steps(plan, crash, *later) == [*CRASHED, path(0), starts(4, "SPEAKER_STARTED"), *then]


@pytest.mark.parametrize("side", ["router", "node"])
def test_bfd_ends_a_session_with_its_own_subcode(side):
    """RFC 9384: Cease 6/10. It takes at most 0.9 s; a node resets its peer (GoBGP bfd_peer.go: 6/4)."""
    plan = world(own_port=True)
    plan = replace(plan, routers=tuple(replace(r, bfd=BfdPlan(0.3, 3, True)) for r in plan.routers))
    direction = {"router": "to-router", "node": "to-node"}[side]
    found = [line.partition(" ")[2] for line in steps(plan, fault("link-loss", 2, options={"direction": direction}))]
    first = next(line for line in found if line.startswith(side))
    assert first == (f"{side}: established > idle, " + {"router": "BFD_DOWN", "node": "ADMIN_RESET"}[side])


@pytest.mark.parametrize(
    ("early", "then"),
    [
        (
            fault("router-restart", 1, at_s=0.5),
            [router(-99.5, "TCP_CLOSED", "idle", "active"), ready(-98.5, "ROUTER_STARTED"), *up(-98)],
        ),
        (
            fault("router-down", 1, at_s=0.5),
            [router(-99.5, "ROUTER_LOST_POWER", "idle", "active"), ready(-98.5, "ROUTER_STARTED"), *up(-98)],
        ),
        (
            fault("agent-crash", 1, at_s=0.5),
            [node(-99.5, "SPEAKER_KILLED", "idle", "active"), starts(-98.5, "SPEAKER_STARTED"), *up(-96.5)],
        ),
        (
            fault("node-down", 1, at_s=0.5),
            [node(-99.5, "NODE_LOST_POWER", "idle", "active"), starts(-98.5, "SPEAKER_STARTED"), *up(-96.5)],
        ),
        (fault("session-reset", at_s=0.5), up(-98)),  # there is nothing to reset
    ],
)
def test_an_end_that_is_lost_before_its_first_session_has_none_to_lose(early, then):
    """A cold start: the dial would come at 2."""
    assert steps(world(horizon_s=50.0), early, since_s=-100) == [starts(-100, "SPEAKER_STARTED"), *then]
