"""Random integers for compiled loops: SplitMix64 (Steele, Lea & Flood 2014). The same on every machine."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _33 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(33)

EXPONENTIAL = np.array([round(-1024 * math.log((i + 0.5) / 4096)) for i in range(4096)], np.int64)
"""4,096 evenly likely values of an exponential variate, in 1,024ths: annealing without a logarithm in the loop."""


@njit(cache=True, forceinline=True)
def draw(state, below):  # type: ignore[no-untyped-def]
    """Evenly one of 0 … below - 1; `state` is one uint64."""
    state[0] += _STEP
    z = state[0]
    z = (z ^ (z >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    z = z ^ (z >> _31)
    return np.int64(((z >> _33) * np.uint64(below)) >> _31)
