"""Riders who do not give up: they ask until they are answered, with the same key, and some of them tap twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

THINK_S = (0.01, 0.06)
PATIENCE_S = 4.0


class Riders:
    """What they were told: `answers[key]` are all the answers to one booking or cancellation."""

    def __init__(self, socket: Callable[[], Path], seed: int, count: int = 16) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.lost = 0
        """answers that never came: a connection that broke off, or silence"""
        self.refused = 0
        """times told to ask again"""
        self.stop = False
        self.fences: list[int] = []
        """of the answers, as they came"""
        self._socket = socket
        self._count = count
        self._draw = random.Random(seed)
        self._progress = asyncio.Event()

    async def run(self) -> None:
        """Ask until `stop`, and then until everything asked is answered."""
        await asyncio.gather(*(self._rider(n) for n in range(self._count)))

    async def answered(self) -> None:
        """Return when somebody has been answered from now on."""
        self._progress.clear()
        await self._progress.wait()

    async def _rider(self, number: int) -> None:
        draw = random.Random(self._draw.random())
        tries = 0
        while not self.stop:
            tries += 1
            key = f"rider {number} {tries}"
            answers = await self._ask({"key": key, "do": "book", "seed": draw.randrange(2**30)}, draw.random() < 0.2)
            if answers[0].get("booked") and draw.random() < 0.2:
                what = {"key": f"{key} cancels", "do": "cancel", "request": answers[0]["request"]}
                await self._ask(what, draw.random() < 0.2)
            await asyncio.sleep(draw.uniform(*THINK_S))

    async def _ask(self, what: dict[str, Any], twice: bool) -> list[dict[str, Any]]:
        self.asked[what["key"]] = what
        answers = await asyncio.gather(*(self._until_answered(what) for _ in range(1 + twice)))
        self.answers[what["key"]] = answers
        self._progress.set()
        return answers

    async def _until_answered(self, what: dict[str, Any]) -> dict[str, Any]:
        while True:
            answer = await self._once(what)
            if answer is not None and "again" not in answer:
                if answer.get("fence") is not None:
                    self.fences.append(answer["fence"])
                return answer
            if answer is not None:
                self.refused += 1
            await asyncio.sleep(0.02)

    async def _once(self, what: dict[str, Any]) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_unix_connection(self._socket())
                try:
                    writer.write(json.dumps(what).encode() + b"\n")
                    line = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            self.lost += 1
            return None
        if not line.endswith(b"\n"):
            self.lost += 1
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer
