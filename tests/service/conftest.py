"""Kernels are compiled before any service is asked: one that still compiles answers 503, as it should.

And a push service for whoever asks for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.service.positions import warm as warm_positions
from simulator.simulate import warm
from simulator.warm import tiny_day
from tests.service.push_services import PushService


@pytest.fixture(autouse=True, scope="session")
def compiled() -> None:
    """Live the tiniest day once."""
    warm()
    warm_positions(tiny_day()[1])


@pytest.fixture
def push_service(tmp_path: Path) -> Iterator[PushService]:
    """One for a test."""
    running = PushService(tmp_path)
    yield running
    running.server.shutdown()
    running.server.server_close()
