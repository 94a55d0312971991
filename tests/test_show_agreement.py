"""At any moment of a run every table of Cilium's tools says the same, and what the timeline says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simbgp.report.cilium.asked import Asked
from simbgp.report.cilium.of_run import table_of_run
from simbgp.report.cilium.replay import Replay
from simbgp.report.cilium.snapshot import Snapshot
from simbgp.scenario import load, loads
from simbgp.scenario.plan import PeeringPlan, Plan
from simbgp.study.replay import timeline
from simbgp.timeline import AgentChanged, FaultBegan, NodeConfigChanged, SessionChanged, Timeline

S = 1_000_000
SCENARIOS = Path(__file__).parent.parent / "scenarios"
WORLD = """\
horizon: 10m
cluster: {cilium: "%s", nodes: 3, localASN: 65001, gracefulRestart: {enabled: %s, restartTimeSeconds: 60}}
routers:
  - {name: tor-1, profile: frr-8.4, asn: 65000, address: 10.9.0.1}
  - {name: tor-2, profile: gobgp-3.10, asn: 64999, address: 10.9.0.2}
services:
  - {name: shop/all, vip: 192.0.2.10, backends: 6}
  - {name: shop/own, vip: 192.0.2.11, externalTrafficPolicy: Local, backends: [{node: worker-1, name: a}]}
faults: [%s]
"""
FAULTS = (  # the guide's, and what else ends a session; {d} is how long
    "kind: agent-crash, node: worker-1, downFor: {d}s",
    "kind: agent-restart, node: worker-1, downFor: {d}s",
    'kind: agent-upgrade, to: "1.20", maxUnavailable: 1',
    "kind: node-down, node: worker-1, downFor: {d}s",
    "kind: node-drain, node: worker-1, wait: {d}s, downFor: 30s",
    "kind: unlabel, node: worker-1, relabelAfter: {d}s",
    "kind: link-down, node: worker-1, router: tor-1, downFor: {d}s",
    "kind: router-down, router: tor-1, downFor: {d}s",
    "kind: router-restart, router: tor-2, downFor: {d}s, how: stop",
    "kind: session-reset, node: worker-1, router: tor-2",
    "kind: peer-shutdown, node: worker-2, router: tor-1, downFor: {d}s",
    "kind: operator-down, downFor: {d}s",
    "kind: backends-down, service: shop/own, downFor: {d}s",
    "kind: stall, node: worker-1, stallFor: {d}s",
)


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[str, list[int]]:
    """One or two faults, and a moment in each, one after it and one late."""
    begun = [draw(st.integers(10, 150)) for _ in range(draw(st.integers(1, 2)))]
    lasts = draw(st.integers(1, 150))
    faults = [f"{{at: {at}s, {draw(st.sampled_from(FAULTS)).format(d=lasts)}}}" for at in begun]
    release = draw(st.sampled_from(["1.16", "1.17", "1.18", "1.19", "1.20"]))
    text = WORLD % (release, str(draw(st.booleans())).lower(), ", ".join(faults))
    during, after = draw(st.integers(0, lasts * S)), draw(st.integers(0, 200 * S))
    return text, [begun[0] * S + during, (begun[-1] + lasts) * S + after, 600 * S]


BACK_AND_GONE = ", ".join(f"{{at: {at}s, kind: backends-down, service: shop/own, downFor: 1s}}" for at in (10, 12))


@settings(deadline=None, max_examples=40)
@given(scenarios())
@example((WORLD % ("1.16", "false", BACK_AND_GONE), [10 * S, 13 * S, 600 * S]))
def test_all_tables_agree_at_three_moments(drawn: tuple[str, list[int]]) -> None:
    text, moments = drawn
    plan = loads(text, "s.yaml").plan()
    facts = timeline(plan, 0, 0)
    for at_us in moments:
        agree(plan, facts, min(at_us, plan.horizon_us))


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("guide-*.yaml")), ids=lambda file: file.stem)
def test_all_tables_agree_during_and_after_each_fault_of_the_guide(file: Path) -> None:
    plan = load(str(file)).plan()
    facts = timeline(plan, 0, 0)
    begun_us = facts.of(FaultBegan)[0].time_us
    last_us = max(fact.time_us for fact in facts)
    for at_us in (begun_us, begun_us + 1, (begun_us + last_us) // 2, last_us, plan.horizon_us):
        agree(plan, facts, at_us)


def agree(plan: Plan, facts: Timeline, at_us: int) -> None:
    now = Snapshot(Replay(plan, facts, at_us))
    shown = json.loads(table_of_run(Asked("peers", output="json"), now))
    advertised = routes(table_of_run(Asked("routes", ("advertised", "ipv4", "unicast")), now), column=3)
    available = routes(table_of_run(Asked("routes", ("available", "ipv4", "unicast")), now), column=2)
    for node, at_start in ((node.name, not node.joins) for node in plan.nodes):
        status = status_of(now, node)
        assert (status is not None) == last(facts, NodeConfigChanged, node, at_us, "exists", at_start)
        runs = last(facts, AgentChanged, node, at_us, "up", at_start)
        assert (node in shown) == runs
        own = [peering for peering in plan.peerings if peering.node == node]
        if not runs:
            if not any(f.node == node and f.time_us <= at_us for f in facts.of(AgentChanged)):
                continue  # it has not joined yet
            ended_us = max(f.time_us for f in facts.of(AgentChanged) if f.node == node and f.time_us <= at_us)
            begun = last(facts, NodeConfigChanged, node, ended_us - 1, "exists", True)
            if begun and not any(
                f.node == node and ended_us <= f.time_us <= at_us for f in facts.of(NodeConfigChanged)
            ):
                assert status is not None  # as it was when the agent ended
                for peering, peer in zip(own, status["bgpInstances"][0]["peers"], strict=True):
                    assert peer["peeringState"] == state(facts, peering, ended_us - 1)
            continue
        if status is None:
            assert (shown[node], available.get(node)) == ([], None)
            continue
        gauges = gauges_of(table_of_run(Asked("metrics", node=node), now))
        for peering, peer, written in zip(own, shown[node], status["bgpInstances"][0]["peers"], strict=True):
            expected = state(facts, peering, at_us)
            assert peer["session-state"] == written["peeringState"] == expected
            assert ("establishedTime" in written) == (expected == "established")
            assert ("uptime-nanoseconds" in peer) == (
                expected == "established" and uptime_us(facts, peering, at_us) > 0
            )
            sent = [prefix for neighbor, prefix in advertised.get(node, ()) if neighbor == peering.peer_address]
            assert set(sent) <= {prefix for _, prefix in available[node]}
            family = peer["families"][0]
            counted = written["routeCount"][0]
            assert family.get("advertised", 0) == counted["advertised"] == len(sent)
            assert family.get("received", 0) == counted["received"]
            address = peering.peer_address
            neighbor = f"[{address}]:179" if ":" in address else f"{address}:179"  # Go's netip.AddrPort
            assert gauges["session_state", neighbor] == (expected == "established")
            if expected == "established" or now.release(node).metrics_while_down:
                assert gauges["advertised_routes", neighbor] == len(sent)
                assert gauges["received_routes", neighbor] == counted["received"]
            else:
                assert ("advertised_routes", neighbor) not in gauges


def last(facts: Timeline, kind: type[Any], node: str, at_us: int, name: str, default: bool) -> bool:
    return [default, *(getattr(f, name) for f in facts.of(kind) if f.node == node and f.time_us <= at_us)][-1]


def changes(facts: Timeline, peering: PeeringPlan, at_us: int) -> list[SessionChanged]:
    return [
        fact
        for fact in facts.of(SessionChanged)
        if (fact.node, fact.router, fact.side) == (peering.node, peering.router, "node") and fact.time_us <= at_us
    ]


def state(facts: Timeline, peering: PeeringPlan, at_us: int) -> str:
    found = changes(facts, peering, at_us)
    return found[-1].to_state if found else "established"


def uptime_us(facts: Timeline, peering: PeeringPlan, at_us: int) -> int:
    found = changes(facts, peering, at_us)
    return at_us - found[-1].time_us if found else at_us + 3600 * S


def status_of(now: Snapshot, node: str) -> dict[str, Any] | None:
    text = table_of_run(Asked("status", node=node, output="json"), now)
    found: dict[str, Any] | None = json.loads(text)["status"] if text else None
    return found


def routes(table: str, column: int) -> dict[str, list[tuple[str, str]]]:
    """Peer (or VRouter) and prefix of each row, by node."""
    found: dict[str, list[tuple[str, str]]] = {}
    node = ""
    for line in table.splitlines()[1:]:
        cells = re.split(r" {3,}", line)
        node = cells[0] or node
        found.setdefault(node, []).append((cells[column - 1], cells[column]))
    return found


def gauges_of(text: str) -> dict[tuple[str, str], float]:
    """By name and neighbor; every sample has the HELP and the TYPE of its family before it."""
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("#"):
            sample = re.fullmatch(r'(\w+)\{.*neighbor="([^"]+)".*\} \d+', line)
            assert sample is not None
            name, neighbor = sample.groups()
            assert name in typed
            found[name.removeprefix("cilium_bgp_control_plane_"), neighbor] = float(line.rpartition(" ")[2])
    return found
