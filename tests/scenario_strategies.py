"""Random scenarios as a person would write them, so that what fails is a file that can be run."""

import json
from typing import Any

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from simbgp.measure import Observed
from simbgp.scenario import Scenario, loads
from simbgp.study.replay import timeline
from simbgp.traffic import outcomes, windows

NODES = ["worker-1", "worker-2", "worker-3"]
ROUTERS = ["tor-1", "tor-2"]
PROFILES = ["frr-8.4", "rfc4724", "rfc8538", "gobgp-3.10", "bird-2.0", "openbgpd-7.7", "sonic"]
RELEASES = ["1.15", "1.16", "1.17", "1.18", "1.19", "1.20", "gobgp-3.10", "gobgp-3.36", "gobgp-4.8"]
seconds = st.integers(1, 240).map(lambda tenths: f"{tenths * 500}ms")
moments = st.integers(0, 250).map(lambda s: f"{s}s")
seeds = st.integers(0, 2**32)
back = st.fixed_dictionaries({}, optional={"downFor": seconds})


def _fault(kind: str, *fields: st.SearchStrategy[dict[str, Any]], **more: st.SearchStrategy[Any]) -> Any:
    own = st.fixed_dictionaries({"at": moments, "kind": st.just(kind), **more})
    return st.tuples(own, *fields).map(lambda parts: {key: value for part in parts for key, value in part.items()})


_node, _router = {"node": st.sampled_from(NODES)}, {"router": st.sampled_from(ROUTERS)}
_end = st.sampled_from([_node, _router]).flatmap(st.fixed_dictionaries)
FAULTS = {
    "agent-crash": _fault("agent-crash", back, **_node),
    "agent-restart": _fault("agent-restart", back, **_node),
    "agent-upgrade": _fault("agent-upgrade", to=st.sampled_from(["1.19", "1.20"]), maxUnavailable=st.integers(1, 2)),
    "node-down": _fault("node-down", back, **_node),
    "node-drain": _fault("node-drain", back, wait=seconds, **_node),
    "unlabel": _fault("unlabel", st.fixed_dictionaries({}, optional={"relabelAfter": seconds}), **_node),
    "peer-shutdown": _fault("peer-shutdown", back, **_node, **_router),
    "session-reset": _fault("session-reset", **_node, **_router),
    "link-down": _fault("link-down", back, **_node, **_router),
    "link-loss": _fault(
        "link-loss",
        back,
        **_node,
        **_router,
        share=st.sampled_from([0.1, 0.5, 1]),
        direction=st.sampled_from(["both", "to-node", "to-router"]),
    ),
    "router-down": _fault("router-down", back, **_router, host=st.sampled_from(["silent", "refusing"])),
    "router-restart": _fault("router-restart", back, **_router, how=st.sampled_from(["crash", "stop"])),
    "operator-down": _fault("operator-down", back),
    "backends-down": _fault("backends-down", back, service=st.just("web")),
    "stall": _fault("stall", _end, stallFor=seconds),
}
"""One strategy for each kind of fault of the schema."""


def one_of(kinds: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(sorted(kinds)).flatmap(FAULTS.__getitem__)


def _router_of(number: int) -> st.SearchStrategy[dict[str, Any]]:
    hashes = ["modulo", "hash-threshold", "hrw", "resilient"]
    ecmp = st.fixed_dictionaries({"hash": st.sampled_from(hashes)})
    bfd = st.fixed_dictionaries({"enabled": st.just(True), "interval": st.sampled_from(["50ms", "300ms"])})
    return st.fixed_dictionaries(
        {"name": st.just(ROUTERS[number]), "profile": st.sampled_from(PROFILES)},
        optional={"link": st.sampled_from(["direct", "switched"]), "bfd": bfd, "ecmp": ecmp},
    )


_hold = st.sampled_from([3, 9, 30, 90])
timers = _hold.map(lambda hold: {"holdTimeSeconds": hold, "keepAliveTimeSeconds": hold // 3})
restarts = st.fixed_dictionaries({"enabled": st.booleans(), "restartTimeSeconds": st.sampled_from([5, 30, 120])})
clusters = st.fixed_dictionaries(
    {
        "cilium": st.sampled_from(RELEASES),
        "nodes": st.just(3),
        "timers": timers,
        "gracefulRestart": restarts,
        "startup": st.fixed_dictionaries({"agent": seconds, "node": seconds}),
        "loadBalancer": st.fixed_dictionaries(
            {"algorithm": st.sampled_from(["random", "maglev"]), "mode": st.sampled_from(["snat", "dsr"])}
        ),
    }
)
services = st.fixed_dictionaries(
    {
        "name": st.just("web"),
        "vip": st.just("192.0.2.10"),
        "backends": st.integers(1, 6),
        "externalTrafficPolicy": st.sampled_from(["Cluster", "Local"]),
    }
)
scenarios = st.fixed_dictionaries(
    {
        "horizon": st.just("400s"),
        "cluster": clusters,
        "routers": st.tuples(_router_of(0), _router_of(1)).map(list),
        "services": services.map(lambda service: [service]),
        "traffic": st.just([{"service": "web", "connections": 40, "lifetime": "60s", "requests": "1/s"}]),
        "faults": st.lists(one_of(FAULTS), min_size=1, max_size=4),
    }
)


def as_file(data: dict[str, Any], seed: int = 0) -> str:
    """YAML, one part a line, with the command that plays it."""
    parts = "\n".join(f"{key}: {json.dumps(value)}" for key, value in data.items())
    return f"# simbgp run FILE --runs 1 --seed {seed}\n{parts}\n"


def read(data: dict[str, Any], seed: int = 0) -> Scenario:
    """The scenario; if the example fails, Hypothesis prints it as a file."""
    text = as_file(data, seed)
    if currently_in_test_context():
        note(text)
    return loads(text, "random.yaml")


def played(data: dict[str, Any], seed: int) -> Observed:
    """Run 0 of a scenario."""
    plan = read(data, seed).plan()
    happened = timeline(plan, seed, 0)
    return Observed(plan, happened, windows(plan, happened, seed, 0), outcomes(plan, happened, seed, 0), seed, 0)
