"""Kernels are compiled before any service is asked: one that still compiles answers 503, as it should."""

from __future__ import annotations

import pytest

from dispatch.service.positions import warm as warm_positions
from simulator.simulate import warm
from simulator.warm import tiny_day


@pytest.fixture(autouse=True, scope="session")
def compiled() -> None:
    """Live the tiniest day once."""
    warm()
    warm_positions(tiny_day()[1])
