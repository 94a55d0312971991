"""Connections over a Linux router that loses and regains next hops: ``python -m benchmarks.data_plane``.

The lab's events are written onto a timeline, so only the data plane is compared. Rows of one setting are pooled; a
predicted share is within the bar if it is no further than 3 points from the measured one, and two standard errors of
that many connections. Delays are held against the client's grid of retransmissions.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from benchmarks import lab
from benchmarks.lab import Row
from simbgp.profiles import Law
from simbgp.scenario.plan import EcmpPlan, LoadBalancerPlan, Plan, TrafficPlan
from simbgp.timeline import (
    BackendChanged,
    Fact,
    ForwardingChanged,
    PathChanged,
    RouteChanged,
    Start,
    Timeline,
    ViewChanged,
)
from simbgp.traffic import ServiceOutcome, outcomes
from simbgp.traffic.balancer import Balancer
from simbgp.traffic.clients import linux
from simbgp.traffic.ecmp import NextHops
from simbgp.traffic.resilient import LONG_AGO_US, deal
from simbgp.traffic.steps import Steps

POINTS = 0.03
VIP, ROUTER = "192.0.2.10/32", "tor-1"
SECOND = 1_000_000
AT_US = 100 * SECOND
MANY = 20_000
FOREVER = Law.constant(1e7)
SAMPLES = 60


@dataclass(frozen=True)
class Compared:
    """A share of the connections of pooled rows, measured and predicted."""

    kind: str
    setting: str
    what: str
    measured: float
    of: int
    predicted: float

    @property
    def holds(self) -> bool:
        """Whether the two agree."""
        noise = 2 * sqrt(max(self.predicted * (1 - self.predicted), 1e-9) / self.of)
        return abs(self.measured - self.predicted) <= POINTS + noise


# worlds


def number(row: Row, name: str, default: float = 0.0) -> float:
    """A cell, ``default`` if it is empty."""
    return float(row[name]) if row[name] else default


def unknown_flow(row: Row) -> str:
    """What the row's nodes do with packets in mid-flow that they do not know."""
    if row["reply_mode"] == "dsr":
        return {"rst": "reset", "drop": "drop"}.get(row["unknown_flow"], "pick")
    if number(row, "tcp_loose", 1.0):
        return "pick"
    return "reset" if number(row, "vip_local") and not number(row, "invalid_drop") else "drop"


def world(row: Row) -> Plan:
    """The plan of a row; its first service has its backends on the nodes in turn."""
    weights = [int(float(w)) for w in row["weights"].split("/")] if row["weights"] else [1] * int(number(row, "N"))
    local = row["reply_mode"] == "local"
    nodes = [
        {"name": f"worker-{i + 1}", "podCIDR": f"10.244.{i + 1}.0/24", "ecmpWeight": w} for i, w in enumerate(weights)
    ]
    backends = len(nodes) if local else int(number(row, "B"))
    policy = "Local" if local else "Cluster"
    plan = lab.plan_of(
        {
            "horizon": 160,
            "cluster": {"cilium": "1.20", "nodes": nodes},
            "routers": [{"name": ROUTER, "profile": "frr-8.4", "asn": 65000}],
            "services": [{"name": "web", "vip": "192.0.2.10", "backends": backends, "externalTrafficPolicy": policy}],
        }
    )
    resilient = row["ecmp_mode"] == "resilient"
    timers = number(row, "idle_timer", 120.0), number(row, "unbalanced_timer")
    ecmp = EcmpPlan("resilient", int(number(row, "buckets")), *timers) if resilient else EcmpPlan("hash-threshold")
    balancer = LoadBalancerPlan(
        "maglev" if row["strategy"] == "maglev" else "random",
        "dsr" if row["reply_mode"] == "dsr" else "snat",
        int(number(row, "M", 251.0)),
        unknown_flow=unknown_flow(row),  # type: ignore[arg-type]
    )
    clients = TrafficPlan("web", MANY, 0.0, FOREVER, number(row, "msg_interval", 0.35), False, "linux-6.5", None, None)
    return replace(
        plan, routers=(replace(plan.routers[0], ecmp=ecmp),), load_balancer=balancer, traffic=(clients,),
        speaker=replace(plan.speaker, dsr_reset_reaches_client=True),
    )  # fmt: skip


def played(plan: Plan, *facts: Fact, without: str | None = None) -> ServiceOutcome:
    """What facts do to the connections; ``without``: a node that is no next hop at first."""
    hops = tuple(node.name for node in plan.nodes if node.name != without)
    views = {service.name: tuple(backend.name for backend in service.backends) for service in plan.services}
    log = Timeline(Start({ROUTER: {VIP: hops}}, views), plan.horizon_us)
    for fact in sorted(facts, key=lambda fact: fact.time_us):
        log.write(fact)
    return outcomes(plan, log, lab.SEED, 0)[0]


def victim(row: Row) -> str:
    """The node that goes."""
    return f"worker-{int(number(row, 'pos')) + 1}"


def route(row: Row, event: str, after_s: float = 0.0) -> RouteChanged:
    """The victim enters or leaves the group."""
    return RouteChanged(AT_US + round(after_s * SECOND), ROUTER, VIP, victim(row), event)  # type: ignore[arg-type]


# kinds of rows: each yields what, measured count, predicted share

Shares = Mapping[str, float]


def leaves(row: Row) -> Shares:
    """A next hop is withdrawn."""
    found = played(world(row), route(row, "withdrawn"))
    return shares(found)


def shares(found: ServiceOutcome) -> dict[str, float]:
    """Of all connections; who waits without an answer counts as stalled."""
    return {"moved": found.moved / MANY, "reset": found.reset / MANY, "stalled": found.timed_out / MANY}


def returns(row: Row) -> Shares:
    """A next hop comes back: for connections opened while it was away, or for survivors and re-opened ones.

    Of the survivors those that had moved go back to where they were, if the group is dealt anew; the re-opened ones
    fare as fresh ones do.
    """
    fresh = shares(played(world(row), route(row, "added"), without=victim(row)))
    if row["note"] != "mixed":
        return fresh
    away = leaves(row)
    stays = row["ecmp_mode"] == "resilient" and number(row, "N") > 2  # busy buckets, unless nobody looked them up
    back = 0.0 if stays else away["moved"] - away["reset"]
    again = {name: value * away["reset"] for name, value in fresh.items()}
    return again | {"moved": again["moved"] + back}


def flaps(row: Row) -> Shares:
    """A next hop is away for a moment."""
    found = played(world(row), route(row, "withdrawn"), route(row, "added", number(row, "T_set")))
    return {"reset": found.reset / MANY}


def silent(row: Row) -> Shares:
    """Packets to a node vanish until it is back or withdrawn; its pods were heard all the time (no other stalled)."""
    cut = PathChanged(AT_US, ROUTER, victim(row), 1.0, to_node=1.0, to_router=0.0)
    healed_s = number(row, "T_actual") or number(row, "T_set")
    mended = PathChanged(AT_US + round(healed_s * SECOND), ROUTER, victim(row), 0.0)
    end = mended if row["heal"] == "resume" else route(row, "withdrawn", healed_s)
    found = played(world(row), cut, end)
    return {"reset": found.reset / MANY, "delayed": found.delayed / MANY}


def crashes(row: Row) -> Shares:
    """A node dies with its pod, and is withdrawn."""
    plan = world(row)
    dead = plan.services[0].backends[int(number(row, "pos"))]
    facts = [ForwardingChanged(AT_US, victim(row), False), BackendChanged(AT_US, "web", dead.name, False)]
    found = played(plan, *facts, route(row, "withdrawn", number(row, "T_set")))
    return {"reset": found.reset / MANY, "stalled": found.timed_out / MANY}


def pods(row: Row) -> Shares:
    """A backend leaves or joins, its pod alive: who is reset, and which share of new flows gets another pod."""
    plan, adds = world(row), row["event"] == "be_add"
    service = plan.services[0]
    if adds:
        plan = world({**row, "B": str(number(row, "B") + 1)})
        service = plan.services[0]
    names = tuple(backend.name for backend in service.backends)
    views = [ViewChanged(AT_US, node.name, "web", 1, names[:-1]) for node in plan.nodes]
    before, after = (Balancer(plan.load_balancer, service).places(view) for view in (names, names[:-1]))
    random = plan.load_balancer.algorithm == "random"
    changed = 1 - 1 / len(names) if random else float(np.mean(before != after))
    return {"reset": played(plan, *views).reset / MANY, "newflow_moved": changed}


def buckets(row: Row) -> Shares:
    """The timers of a resilient group: who moves in the time observed, and what the returned member has then.

    Silent connections sent last half a second before the return.
    """
    plan = world(row)
    ecmp, weights = plan.routers[0].ecmp, {node.name: 1 for node in plan.nodes}
    hops = Steps(NextHops(tuple(node.name for node in plan.nodes[1:])))
    hops.set(AT_US, NextHops(tuple(node.name for node in plan.nodes)))
    seen_us = round((number(row, "observe_s") - 0.7) * SECOND)  # less the half second and what setting up took
    rng = np.random.Generator(np.random.Philox(lab.SEED))
    moved, held = [], []
    for _ in range(SAMPLES):
        flows = _Flows(row, rng)
        steps = deal(hops, ecmp, weights, flows, AT_US + seen_us)
        tables = [np.frombuffer(value.table, dtype=np.uint16) for value in steps.values[1:]]
        held.append(float(np.mean(tables[-1] == 0)))
        moved.append(float(np.mean((tables[-1] == 0)[flows.buckets])))
    return {"moved": float(np.mean(moved)), "frac_buckets_end": float(np.mean(held))}


class _Flows:
    """The lab's connections, some of them silent."""

    def __init__(self, row: Row, rng: np.random.Generator) -> None:
        count = int(number(row, "C"))
        self.buckets = rng.integers(0, int(number(row, "buckets")), count)
        self._interval_us = round(number(row, "msg_interval") * SECOND)
        self._phases_us = rng.integers(0, self._interval_us, count)
        self._active = rng.random(count) < number(row, "active_frac", 1.0)

    def last(self, buckets: int, at_us: int) -> np.ndarray:
        """When a packet last met each bucket."""
        until_us = np.where(self._active, at_us, AT_US - SECOND // 2)
        sent_us = until_us - (until_us - self._phases_us) % self._interval_us
        used = np.full(buckets, LONG_AGO_US)
        np.maximum.at(used, self.buckets, sent_us)
        return used


# rows of the file


def _is_hidden(row: Row) -> bool:
    """What is no setting of a cluster: other hashes, tables that differ per node, stateless nodes, veth's own hash."""
    return (
        row["strategy"] not in ("random", "maglev", "own")
        or (bool(row["sticky"]) and not float(row["sticky"]))
        or row["hash_policy"] != "3"
        or not int(float(row["total"] or 0))
    )


def kind_of(row: Row) -> str | None:
    """Which comparison a row belongs to."""
    if _is_hidden(row):
        return None
    if row["exp"] in ("updown", "weights", "loose"):
        name = "conntrack settings" if row["exp"] == "loose" else "returns"
        return f"{name}, {row['event']}" if row["event"] != "return" else f"{name}, {row['note'] or 'return'}"
    known = {"flap": "flaps", "crash": "crashes", "resil": "resilient timers", "backends": "backends"}
    if row["exp"] == "blackhole":
        return "holes, " + row["heal"]
    return known.get(row["exp"])


def predict(kind: str, row: Row) -> Shares:
    """The shares of one setting."""
    if kind.endswith("remove"):
        return leaves(row)
    by_name = {"flaps": flaps, "crashes": crashes, "resilient timers": buckets, "backends": pods}
    if kind.startswith("holes"):
        return silent(row)
    return by_name.get(kind, returns)(row)


_SETTING = (
    "ecmp_mode", "buckets", "idle_timer", "unbalanced_timer", "N", "weights", "pos", "B", "strategy", "M", "reply_mode",
    "unknown_flow", "tcp_loose", "vip_local", "invalid_drop", "event", "C", "msg_interval", "active_frac", "T_set",
    "heal",
)  # fmt: skip


def pooled(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows that repeat each other, by kind and setting."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        kind = kind_of(row)
        if kind is not None:
            found[kind, "/".join(row[name] or "-" for name in _SETTING)].append(row)
    return found


def compared(kind: str, setting: str, rows: Sequence[Row]) -> Iterator[Compared]:
    """Measured and predicted shares of one setting."""
    for what, share in predict(kind, rows[0]).items():
        of = sum(int(number(row, "newflow_total" if what == "newflow_moved" else "total")) for row in rows)
        if what == "frac_buckets_end":
            measured = sum(number(row, what) for row in rows) / len(rows)
        elif what == "delayed":
            measured = sum(number(row, "stall_n") for row in rows) / of
        elif what == "stalled":
            measured = sum(number(row, "stalled") + number(row, "timed_out") for row in rows) / of
        else:
            measured = sum(number(row, what) for row in rows) / of
        yield Compared(kind, setting, what, measured, of, share)


# delays


def on_grid(delays_s: np.ndarray, grid_us: Sequence[int]) -> float:
    """The share of delays within 5 % or 50 ms of an instant of the grid."""
    grid_s = np.array(grid_us) / 1e6
    away = np.abs(delays_s[:, None] - grid_s)
    return float(np.mean((away <= np.maximum(0.05 * grid_s, 0.05)).any(axis=1)))


def delays() -> dict[str, tuple[float, int]]:
    """Of the delays that a hole made: the share on the grid, and how many there are."""
    client = linux(syn_linear_timeouts=4)
    stalls = np.array([float(r["stall"]) for r in lab.read("stalls.csv") if r["stall"] and float(r["stall"]) > 0.1])
    late = [r for r in lab.read("syn.csv") if r["lat"] and float(r["lat"]) > 0.5]
    connects = np.array([float(row["lat"]) for row in late])
    return {
        "stalls": (on_grid(stalls, client.retransmit_us), len(stalls)),
        "late connects": (on_grid(connects, client.connect_us), len(connects)),
    }


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--worst", type=int, default=15)
    ask.add_argument("--only", help="one kind of rows")
    args = ask.parse_args()
    found = [
        one
        for (kind, setting), rows in pooled(lab.read("data_plane.csv")).items()
        if args.only in (None, kind)
        for one in compared(kind, setting, rows)
    ]
    held = True
    for kind in sorted({one.kind for one in found}):
        of_kind = [one for one in found if one.kind == kind]
        good = sum(one.holds for one in of_kind)
        held = held and good >= 0.97 * len(of_kind)
        mean = np.mean([abs(one.measured - one.predicted) for one in of_kind])
        print(f"{kind}: {good}/{len(of_kind)} within {POINTS:.0%}, mean difference {mean:.2%}")
    for one in sorted((one for one in found if not one.holds), key=lambda one: one.kind)[: args.worst]:
        print(
            f"outside {one.kind} {one.setting} {one.what}: measured {one.measured:.3f}, predicted {one.predicted:.3f}"
        )
    for name, (share, count) in delays().items():
        held = held and share >= 0.95
        print(f"{name}: {share:.1%} of {count} on the client's grid")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
