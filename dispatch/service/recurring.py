"""Recurring rides: a template makes each of its rides seven days ahead, as a booking of its own, once.

A template is the rider's own and lies in the vault under their key; the store's index holds only which pseudonym has
which. A ride that was made is noted there; should that note be lost in a crash, its id, which follows from template,
date and making day, tells that it was made.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, field, structs

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.service.problems import Problem
from dispatch.service.zone import Journey, request_for

if TYPE_CHECKING:
    from dispatch.core.places import End
    from dispatch.service.live import Live

MOST_TEMPLATES: Final = 20
"""of one rider"""
AGAIN_MS: Final = 1_800_000
AS_IT_STANDS: Final = ("booked", "aboard", "stranded", "delivered", "no_show", "queued", "asked")
_CLOCK = re.compile(r"^([01]\d|2[0-7]):([0-5]\d)$")


class Place(Struct, frozen=True, omit_defaults=True):
    """An end as the rider named it."""

    stop: str | None = None
    lat: float | None = None
    lon: float | None = None


class Made(Struct, frozen=True):
    """A ride that was made, or tried to."""

    ride: str
    day: str
    """service day on which"""


class Template(Struct, frozen=True, omit_defaults=True):
    """What recurs. Clocks are of the service day: 25:30 is half past one in the night after."""

    id: str
    origin: Place
    goal: Place
    weekdays: tuple[int, ...]
    since: str
    depart_at: str | None = None
    arrive_at: str | None = None
    until: str | None = None
    seats: int = 1
    wheelchairs: int = 0
    on_holidays: bool = False
    skipped: tuple[str, ...] = ()
    made: dict[str, Made] = field(default_factory=dict)
    """by date"""

    def falls_on(self, live: Live, date: dt.date) -> str:
        """`due`, or why there is no ride on this date: `no`, `skipped`, `holiday`."""
        day, calendar = date.isoformat(), live.area.calendar
        if date.weekday() not in self.weekdays or day < self.since or (self.until is not None and day > self.until):
            return "no"
        if day in self.skipped:
            return "skipped"
        return "holiday" if calendar.closed(date) or (calendar.holiday(date) and not self.on_holidays) else "due"


class Recurring:
    """The templates of a zone."""

    def __init__(self) -> None:
        self._done = ("", -AGAIN_MS)
        """day and time of the last pass"""
        self._one_at_a_time = asyncio.Lock()

    async def run(self, live: Live) -> None:
        """Until the service ends: with every new service day, and then every half hour, make what is due."""
        while not live.ledger.closed:
            await asyncio.sleep(0.5)
            day, now = live.dispatcher.day, live.now
            due = day != self._done[0] or now >= self._done[1] + AGAIN_MS
            if live.dispatcher.ready and day and due and live.ledger.day == day:
                await self.make_all(live)
                self._done = day, now

    async def make_all(self, live: Live) -> None:
        """What is due of all templates."""
        redis: Any = live.redis
        for name, rider in (await redis.hgetall(_index(live))).items():
            await self.make(live, str(rider, "ascii"), str(name, "ascii"))

    async def make(self, live: Live, rider: str, name: str) -> None:
        """What is due of one template, until the end of the days that can be booked."""
        async with self._one_at_a_time:
            template = await read(live, rider, name)
            if template is None:
                redis: Any = live.redis
                await redis.hdel(_index(live), name)  # its rider was deleted
                return
            made = dict(template.made)
            for date in dates(live):
                if template.falls_on(live, date) == "due":
                    await self._make_one(live, rider, template, date, made)
            if made != template.made:
                oldest = dates(live)[0].isoformat()
                kept = {day: one for day, one in made.items() if day >= oldest}
                await write(live, rider, structs.replace(template, made=kept))

    async def answered(self, live: Live, rider: str, ride: str, instead: str | None = None) -> None:
        """The rider gave one ride of a template back, or changed it: it is not made again."""
        name = ride.partition("-")[0]
        async with self._one_at_a_time:
            template = await read(live, rider, name) if "-" in ride else None
            dated = {} if template is None else {one.ride: day for day, one in template.made.items()}
            if template is None or ride not in dated:
                return
            day = dated[ride]
            if instead is None:
                again = structs.replace(template, skipped=(*template.skipped, day))
            else:
                again = structs.replace(template, made={**template.made, day: Made(instead, template.made[day].day)})
            await write(live, rider, again)

    async def _make_one(self, live: Live, rider: str, template: Template, date: dt.date, made: dict[str, Made]) -> None:
        day, today = date.isoformat(), live.dispatcher.day
        before = made.get(day)
        if before is not None and (before.day == today or _stands(live, before.ride)):
            return
        ahead = (date - dt.date.fromisoformat(today)).days
        name = f"{template.id}-{date:%m%d}-{ahead}"
        try:
            journey = _journey(live, template, date)
        except Problem:
            return  # its stop point is closed or gone: tried again tomorrow
        if journey is None:
            return
        known = await live.vault.standing(rider)
        if known is None:
            return
        if live.ride(name) is None:
            attempt = None if before is None else before.ride
            age = known.age_group

            def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
                world = desk.world
                request = request_for(
                    live.area, desk.times, world.policy, journey, now,
                    id=name, rider=rider, closed=world.closed_places, age=age, channel="recurring",
                )  # fmt: skip
                yield ev.RequestMade(now, structs.replace(request, attempt=attempt))
                answer = desk.quote(name, now)
                booked = desk.accept(answer.quotes[0], now) if answer.quotes else []
                yield from booked or desk.refuse(name, now, answer)

            await live.submit(decide, key=f"template:{name}", body=name.encode())
        made[day] = Made(name, today)


def _stands(live: Live, ride: str) -> bool:
    """Nothing more is to be made for its date: it is booked, or its rider gave it back."""
    found = live.ride(ride)
    return found is not None and (found.state in AS_IT_STANDS or found.state == "cancelled")


def _journey(live: Live, template: Template, date: dt.date) -> Journey | None:
    """The journey on a date; None: its time has passed, or cannot be booked yet. Raises Problem."""
    clock = template.depart_at or template.arrive_at
    assert clock is not None
    moment = live.moments.on_date(date, clock_ms(clock))
    if not live.now < moment <= live.now + live.world.policy.horizon_s * 1000:
        return None
    origin, goal = _end(live, template.origin), _end(live, template.goal)
    if origin.place == goal.place:
        raise Problem("same_place")
    departs = moment if template.depart_at is not None else None
    arrives = moment if template.depart_at is None else None
    return Journey(origin, goal, departs, arrives, template.seats, template.wheelchairs)


def _end(live: Live, place: Place) -> End:
    closed = live.world.closed_places
    if place.stop is not None:
        end = live.area.end_at_stop(place.stop)
        if end is not None and end.place in closed:
            end = live.area.end_at(end.lat, end.lon, closed)
    else:
        assert place.lat is not None
        assert place.lon is not None
        end = live.area.end_at(place.lat, place.lon, closed)
    if end is None:
        raise Problem("unknown_stop")
    return end


def clock_ms(clock: str) -> int:
    """`08:10` as ms of the service day; before 04:00 it is the night after. Raises ValueError."""
    parts = _CLOCK.match(clock)
    if parts is None:
        raise ValueError("must be a time of day such as 08:10")
    hours = int(parts[1])
    return ((hours + 24 if hours < 4 else hours) * 60 + int(parts[2])) * 60_000


def dates(live: Live) -> list[dt.date]:
    """Service days that can be booked, the open one first."""
    today = dt.date.fromisoformat(live.dispatcher.day)
    return [today + dt.timedelta(days=n) for n in range(live.area.coming_days + 1)]


# in the vault


async def read(live: Live, rider: str, name: str) -> Template | None:
    """A rider's template."""
    kept = await live.vault.get(rider, f"template:{name}")
    return None if kept is None else msgspec.convert(kept, Template)


async def write(live: Live, rider: str, template: Template) -> None:
    """Keep one; the index is written first, so that no template is ever forgotten."""
    redis: Any = live.redis
    await redis.hset(_index(live), template.id, rider)
    await live.vault.put(rider, f"template:{template.id}", msgspec.to_builtins(template))


async def drop(live: Live, rider: str, name: str) -> None:
    """Delete one."""
    redis: Any = live.redis
    await live.vault.drop(rider, f"template:{name}")
    await redis.hdel(_index(live), name)


async def all_of(live: Live, rider: str) -> list[Template]:
    """A rider's templates, by id."""
    kept = await live.vault.everything(rider)
    found = [msgspec.convert(value, Template) for name, value in kept.items() if name.startswith("template:")]
    return sorted(found, key=lambda template: template.id)


def _index(live: Live) -> str:
    return f"{{{live.area.name}}}:templates"
