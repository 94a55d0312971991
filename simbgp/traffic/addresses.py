"""Behind how many addresses the clients of a service sit, and what their next connection looks like."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import TrafficPlan
from simbgp.traffic.datapath import Ints
from simbgp.traffic.flows import Flows, stream
from simbgp.traffic.mixing import mix

_LOWER = np.uint64(0xFFFFFFFF)
_NEXT_PORT = 1
"""A salt."""


def addressed(flows: Flows, traffic: TrafficPlan, entry: str, seed: int, run: int) -> Flows:
    """The flows of a service with session affinity: each has a client's address, whose hash picks the Maglev slot.

    With affinity the client's port counts as 0 (bpf/lib/lb.h ``lb4_select_backend_id_maglev``). Connections are
    dealt to ``traffic.clients`` addresses at random; without that number each has one of its own.
    """
    if traffic.clients is None:
        names = flows.keys
    else:
        rng = stream(seed, run, traffic.service, f"clients/{entry}")
        names = rng.integers(0, traffic.clients, len(flows), dtype=np.uint64)
    salt = stream(seed, run, traffic.service, "addresses").integers(
        0, 2**62, 1
    )  # who they are, the same at all routers
    clients = mix(names, salt)
    return replace(flows, keys=_sticky(flows.keys, clients), clients=clients)


def dialled_anew(flows: Flows, who: Ints, at_us: Ints, ends_us: Ints) -> Flows:
    """The next connections of some clients: another port, so another hash.

    What was not answered is asked again at once, and more until the old connection would have ended.
    """
    keys = mix(flows.keys[who], np.full(1, _NEXT_PORT))
    clients = None if flows.clients is None else flows.clients[who]
    if clients is not None:
        keys = _sticky(keys, clients)
    return Flows(keys, at_us, np.zeros(len(who), dtype=np.int64), np.maximum(ends_us - at_us, 0), clients)


def _sticky(keys: NDArray[np.uint64], clients: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (keys & ~_LOWER) | (clients & _LOWER)
