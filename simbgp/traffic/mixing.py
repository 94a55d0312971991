"""Numbers that look drawn, from keys and salts."""

import numpy as np
from numpy.typing import NDArray


def mix(keys: NDArray[np.uint64], salts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64 bits that look independent for every key and salt (the finaliser of SplitMix64)."""
    mixed: NDArray[np.uint64] = keys + (salts.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def uniform(keys: NDArray[np.uint64], salts: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number in [0, 1) that looks drawn anew for every key and salt."""
    return (mix(keys, salts) >> np.uint64(11)).astype(np.float64) * 2.0**-53
