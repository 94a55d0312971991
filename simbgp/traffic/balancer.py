"""How a node picks a backend for a flow it does not know (Cilium's ``bpf-lb-algorithm``)."""

from collections.abc import Collection
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import LoadBalancerPlan, ServicePlan
from simbgp.traffic.maglev import maglev_table


class Balancer:
    """Picks among the backends of one service; backends are places in ``service.backends``."""

    def __init__(self, plan: LoadBalancerPlan, service: ServicePlan) -> None:
        self._plan = plan
        self.is_random = plan.algorithm == "random"
        self._keys = {backend.name: backend.key for backend in service.backends}
        self._places = {backend.name: place for place, backend in enumerate(service.backends)}

    def places(self, view: tuple[str, ...]) -> NDArray[np.int64]:
        """What the node's service map holds: a backend per slot of the Maglev table, or every backend once."""
        backends = np.array([self._places[name] for name in view], dtype=np.int64)
        if self.is_random or not view:
            return backends
        return backends[_table(tuple(self._keys[name] for name in view), self._plan.table_size, self._plan.hash_seed)]

    def share(self, view: tuple[str, ...], of: Collection[str]) -> float:
        """The share of picks from ``view`` (not empty) that fall on the backends ``of``."""
        chosen = [self._places[name] for name in view if name in of]
        if not chosen:
            return 0.0
        places = self.places(view)
        return float(np.isin(places, chosen).sum() / len(places))


@lru_cache(maxsize=4096)
def _table(keys: tuple[str, ...], size: int, seed: str) -> NDArray[np.int32]:
    return maglev_table(keys, size, seed=seed)


def mix(keys: NDArray[np.uint64], salts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 bits that look independent for every key and salt (the finaliser of SplitMix64)."""
    mixed: NDArray[np.uint64] = keys + (salts.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
