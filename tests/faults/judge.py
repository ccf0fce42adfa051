"""What must hold of a store after anything, whatever was killed: read from the store and from what riders were told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import msgspec

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.fleet import ROUTE_ROWS
from dispatch.core.fold import fold
from dispatch.core.pack import pack
from dispatch.core.world import World
from dispatch.service.outbox import Message
from dispatch.service.store import Store, event_of
from tests.faults import town
from tests.faults.riders import Riders


async def faults(store: Store, riders: Riders, folder: Path) -> tuple[list[str], Counter[str]]:
    """(what does not hold, in sentences; counts of what was judged)."""
    found: list[str] = []
    events: list[ev.AnyEvent] = []
    for day in await store.days():
        async for page in store.lines(day):  # StoreDown if it has a gap
            for seq, line in page:
                if json.loads(line)["seq"] != seq:
                    found.append(f"line {seq} of {day} says that it is another")
                events.append(event_of(line))
    head = await store.head()
    if head is None or head.seq != len(events):
        found.append(f"the store counts {head}, the log has {len(events)} events")
    found += _answers(events, riders)
    found += [f"invariant: {violation}" for violation in invariants.check(events, town.TIMES)]
    found += await _worlds(store, events)
    found += await _messages(store, events, folder)
    counts = Counter(type(event).__name__ for event in events)
    counts["answers"] = sum(map(len, riders.answers.values()))
    return found, counts


def _answers(events: list[ev.AnyEvent], riders: Riders) -> list[str]:
    """Every rider's booking is in the log exactly once, as the rider was told."""
    found = []
    made = Counter(e.request.rider for e in events if isinstance(e, ev.RequestMade))
    booked = Counter(e.request for e in events if isinstance(e, ev.RideBooked))
    cancelled = Counter(e.request for e in events if isinstance(e, ev.RideCancelled))
    found += [f"{key} is in the log {count} times" for key, count in made.items() if count > 1]
    found += [f"{request} was booked {count} times" for request, count in booked.items() if count > 1]
    for key, answers in riders.answers.items():
        first = {k: v for k, v in answers[0].items() if k not in ("replayed", "fence")}
        for answer in answers[1:]:
            if {k: v for k, v in answer.items() if k not in ("replayed", "fence")} != first:
                found.append(f"{key} was answered in two ways: {first} and {answer}")
        if "wrong" in first:
            found.append(f"{key}: {first['wrong']}")
        elif riders.asked[key]["do"] == "book":
            if made[key] != 1:
                found.append(f"{key} was answered, but is in the log {made[key]} times")
            else:
                logged = events[first["first"] - 1 : first["seq"]]
                request = next((e.request for e in logged if isinstance(e, ev.RequestMade)), None)
                if request is None or request.id != first["request"] or request.rider != key:
                    found.append(f"{key} was told of {first['request']}, the log has {request}")
                given = any(isinstance(e, ev.RideBooked) and e.request == first["request"] for e in logged)
                if first["booked"] != given:
                    found.append(f"{key} was told {first}, the log says otherwise")
        elif first["cancelled"] is not None and cancelled[first["cancelled"]] != 1:
            found.append(f"{key}: cancelled {cancelled[first['cancelled']]} times")
    return found


async def _worlds(store: Store, events: list[ev.AnyEvent]) -> list[str]:
    """World = fold(log), also by way of every snapshot; and the arrays are the world's."""
    found = []
    day = (await store.days())[-1]
    whole = fold(events)
    kept, _ = await store.world(day)
    if kept.encoded() != whole.encoded():
        found.append("the world from the last snapshot is not the fold of the log")
    for seq in range(0, len(events), max(len(events) // 5, 1)):
        there, _ = await store.world(day, seq=seq)
        if seq and there.encoded() != fold(events[:seq]).encoded():
            found.append(f"the world at {seq} is not the fold of the log")
    if not _packs(whole):
        found.append("the arrays can't be made from the world")
    return found


def _packs(world: World) -> bool:
    fleet = pack(world, town.TIMES)
    return fleet.count == len(world.shuttles) and fleet.routes.shape[1] == ROUTE_ROWS


async def _messages(store: Store, events: list[ev.AnyEvent], folder: Path) -> list[str]:
    """One message for each thing that a rider must know, delivered or still in the outbox; none for anything else."""
    sent: dict[str, Message] = {}
    lines = (folder / "delivered").read_bytes().split(b"\n")
    waiting = [data for _, data in await store.messages(count=1_000_000)]
    for data in [*filter(None, lines), *waiting]:
        message = msgspec.json.decode(data, type=Message)
        if sent.setdefault(message.id, message) != message:
            return [f"two messages have the id {message.id}"]
    said = Counter((message.kind, message.about) for message in sent.values())
    due = Counter(
        (town.TOLD[type(event)], event.request)
        for event in events
        if isinstance(event, (ev.RideBooked, ev.RideRefused, ev.RideCancelled, ev.PromiseAtRisk))
    )
    found = [f"message never sent: {what}" for what in due - said]
    return found + [f"message for nothing: {what}" for what in said - due]
