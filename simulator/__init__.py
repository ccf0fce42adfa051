"""The same dispatch core under a virtual clock."""

import routing  # noqa: F401 - it settles where compiled kernels are kept, before numba is imported
