"""Little's law: connections open = arrivals per second × mean lifetime."""

import math
from statistics import NormalDist, fmean

from simbgp.profiles.law import Law
from simbgp.scenario.schema import Traffic

_STANDARD = NormalDist()
TOLERANCE = 0.01


def mean_s(law: Law) -> float:
    """The mean of a law in seconds; a normal law is cut off at 0, as its draws are."""
    p = law.parameters
    if law.kind == "lognormal":
        sigma = math.log(p[1] / p[0]) / _STANDARD.inv_cdf(0.99)
        return p[0] * math.exp(sigma**2 / 2)
    if law.kind == "normal" and p[1]:
        return p[0] * _STANDARD.cdf(p[0] / p[1]) + p[1] * _STANDARD.pdf(p[0] / p[1])
    if law.kind == "empirical" and len(p) > 1:  # linear between the observations: the trapezoid rule is exact
        return (math.fsum(p) - (min(p) + max(p)) / 2) / (len(p) - 1)
    return fmean(p) if law.kind in ("uniform", "choice", "empirical") else p[0]


def population(traffic: Traffic, horizon_s: float) -> tuple[int, float, Law]:
    """Connections open at time 0, arrivals per second and lifetime, the missing one by Little's law.

    A missing lifetime is exponential. Raises ValueError if two of them are missing, if the lifetime is 0, or if all
    three are given and the number open would drift by more than 1 % within the horizon.
    """
    connections, arrivals, lifetime = traffic.connections, traffic.arrivals, traffic.lifetime
    if lifetime is not None and mean_s(lifetime) <= 0:
        raise ValueError("the lifetime is 0; allowed: a duration above 0")
    if connections is not None and lifetime is not None:
        steady = connections / mean_s(lifetime)
        if arrivals is not None:
            _agree(connections, arrivals, steady, horizon_s)
        return connections, steady if arrivals is None else arrivals, lifetime
    if arrivals is not None and lifetime is not None:
        return round(arrivals * mean_s(lifetime)), arrivals, lifetime
    if connections and arrivals:
        return connections, arrivals, Law("exponential", (connections / arrivals,))
    raise ValueError("give two of connections, arrivals and lifetime, above 0; the third follows")


def _agree(connections: int, arrivals: float, steady: float, horizon_s: float) -> None:
    drift = abs(arrivals - steady) * horizon_s
    if abs(arrivals - steady) > TOLERANCE * max(arrivals, steady) and drift > TOLERANCE * max(connections, 1):
        raise ValueError(
            f"connections, arrivals and lifetime disagree: {connections} connections of this lifetime need "
            f"{steady:g} arrivals/s, not {arrivals:g}; allowed: two of them, or three that agree within 1 %"
        )
