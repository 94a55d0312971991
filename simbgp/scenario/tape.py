"""The tape: all luck of a run, by name.

``u(entity, purpose, n)`` is a pure function of (seed, run, entity, purpose, n). ``n`` counts that entity's own events,
so a retry more or less at one session shifts no draw of another, and two settings share their luck (common random
numbers).
"""

from hashlib import blake2b

from simbgp.profiles.law import Law

_SCALE = 2.0**-53


class Tape:
    """Named uniforms of one run."""

    def __init__(self, seed: int, run: int) -> None:
        self.seed = seed
        self.run = run
        self.used = False
        key = blake2b(f"{seed}/{run}".encode(), digest_size=32).digest()
        self._keyed = blake2b(digest_size=8, key=key)
        """The hash before any name: a copy of it takes half the time of a new one with the same key."""

    def u(self, entity: str, purpose: str, n: int = 0) -> float:
        """A uniform in [0, 1) with 53 random bits."""
        self.used = True
        named = self._keyed.copy()
        named.update(f"{entity}\x1f{purpose}\x1f{n}".encode())
        return (int.from_bytes(named.digest(), "big") >> 11) * _SCALE

    def draw_us(self, law: Law, entity: str, purpose: str, n: int = 0) -> int:
        """A duration of ``law`` in integer microseconds; a constant law consumes no luck."""
        if law.is_constant:
            return round(law.quantile(0.5) * 1e6)
        return round(law.quantile(self.u(entity, purpose, n)) * 1e6)
