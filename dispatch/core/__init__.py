"""The pure core: `now` is an argument; no I/O, no clock, no randomness without a seed."""

import routing  # noqa: F401 - it settles where compiled kernels are kept, before numba is imported
