"""The control plane in simulated time: from one draw of a scenario to its timeline. It never sees a connection."""

from simbgp.model.simulate import simulate

__all__ = ["simulate"]
