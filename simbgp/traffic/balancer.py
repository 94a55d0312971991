"""How a node picks a backend for a flow it does not know (Cilium's ``bpf-lb-algorithm``)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simbgp.scenario.plan import LoadBalancerPlan, ServicePlan
from simbgp.traffic.maglev import Tables


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

    def chances(self, view: tuple[str, ...]) -> tuple[dict[str, int], int]:
        """How many of how many equally likely picks from ``view`` fall on each backend."""
        if self.is_random:
            return dict.fromkeys(view, 1), len(view)
        places = self.places(view)
        counts = np.bincount(places, minlength=len(self._places)).tolist()
        return {name: counts[self._places[name]] for name in view}, len(places)


_tables = Tables()


@lru_cache(maxsize=4096)
def _table(keys: tuple[str, ...], size: int, seed: str) -> NDArray[np.int32]:
    return _tables.make(keys, size, seed=seed)
