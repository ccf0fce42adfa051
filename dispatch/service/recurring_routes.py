"""Riders' recurring rides over HTTP."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from msgspec import structs
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.service.asking import check_party, check_rider, checked, end_of
from dispatch.service.auth import reference
from dispatch.service.callers import For, ForRider, by_phone, note
from dispatch.service.live import Live
from dispatch.service.models import Ask, Done, Id, PlaceAsk, Said, Seats
from dispatch.service.problems import Problem, answers
from dispatch.service.recurring import MOST_TEMPLATES, Place, Template, all_of, clock_ms, dates, drop, read, write
from dispatch.service.sign_in import LiveZone
from dispatch.service.zone import Journey

router = APIRouter(prefix="/v1/recurring", tags=["recurring rides"])
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _clock(text: str) -> str:
    clock_ms(text)
    return text


Clock = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}:[0-9]{2}$"), AfterValidator(_clock)]
Date = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2100, 1, 1))]


class TemplateAsk(Ask):
    """A ride that recurs."""

    model_config = Ask.model_config | {"populate_by_name": True}

    from_: PlaceAsk = Field(alias="from")
    to: PlaceAsk
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    depart_at: Clock | None = Field(default=None, description="time of day, 08:10; before 04:00: of the night after")
    arrive_at: Clock | None = None
    since: Date | None = None
    """none: from now on"""
    until: Date | None = None
    """the last date; none: until it is ended"""
    seats: Seats = 1
    wheelchairs: Annotated[int, Field(ge=0, le=60)] = 0
    on_holidays: bool = False
    """also on holidays with Sunday's service"""

    @model_validator(mode="after")
    def one_time(self) -> Self:
        """To leave at, or to arrive at."""
        if (self.depart_at is None) == (self.arrive_at is None):
            raise ValueError("name depart_at or arrive_at")
        if self.until is not None and self.since is not None and self.until < self.since:
            raise ValueError("until lies before since")
        return self


class OccurrenceSaid(Said):
    """One date of a template within the days that can be booked."""

    date: dt.date
    state: Literal["to_be_made", "made", "refused", "cancelled", "skipped", "holiday", "over"]
    """`refused`: tried again with every new day until its own"""
    ride: str | None


class TemplateSaid(Said):
    """A recurring ride."""

    id: str
    from_: PlaceAsk = Field(alias="from", serialization_alias="from")
    to: PlaceAsk
    weekdays: list[Weekday]
    depart_at: str | None
    arrive_at: str | None
    since: dt.date
    until: dt.date | None
    seats: int
    wheelchairs: int
    on_holidays: bool
    occurrences: list[OccurrenceSaid]
    """of the open day and the seven after it"""


class SkipAsk(Ask):
    """Which one."""

    date: Date


@router.post(
    "", status_code=201, responses=answers("unknown_stop", "same_place", "party_too_large", "too_many_templates")
)
async def begin(ask: TemplateAsk, who: ForRider, live: LiveZone) -> TemplateSaid:
    """A ride that recurs. Its rides of the next seven days are booked at once, later ones seven days ahead each."""
    live.require_ready()
    await check_rider(live, who.rider)
    check_party(live.world.policy, ask.seats, ask.wheelchairs)
    checked(Journey(end_of(live, ask.from_), end_of(live, ask.to)))
    if len(await all_of(live, who.rider)) >= MOST_TEMPLATES:
        raise Problem("too_many_templates")
    template = Template(
        id=reference(6),
        origin=Place(ask.from_.stop, ask.from_.lat, ask.from_.lon),
        goal=Place(ask.to.stop, ask.to.lat, ask.to.lon),
        weekdays=tuple(sorted({WEEKDAYS.index(day) for day in ask.weekdays})),
        since=max(live.dispatcher.day, "" if ask.since is None else ask.since.isoformat()),
        depart_at=ask.depart_at,
        arrive_at=ask.arrive_at,
        until=None if ask.until is None else ask.until.isoformat(),
        seats=ask.seats,
        wheelchairs=ask.wheelchairs,
        on_holidays=ask.on_holidays,
    )
    await note(live, by_phone(who, "recurring", None, about=template.id, made="begun"))
    await write(live, who.rider, template)
    await live.recurring.make(live, who.rider, template.id)
    return await one(template.id, who, live)


@router.get("", responses=answers())
async def mine(who: ForRider, live: LiveZone) -> list[TemplateSaid]:
    """The rider's recurring rides."""
    return [_said(live, template) for template in await all_of(live, who.rider)]


@router.get("/{template}", responses=answers("no_such_template"))
async def one(template: Id, who: ForRider, live: LiveZone) -> TemplateSaid:
    """One of them."""
    return _said(live, await _own(live, who, template))


@router.post("/{template}/skip", responses=answers("no_such_template", "no_such_date"))
async def skip(template: Id, ask: SkipAsk, who: ForRider, live: LiveZone) -> TemplateSaid:
    """Leave one date out; its ride, if it is made, is given back."""
    found, day = await _own(live, who, template), ask.date.isoformat()
    if found.falls_on(live, ask.date) not in ("due", "holiday") or day < live.dispatcher.day:
        raise Problem("no_such_date")
    await note(live, by_phone(who, "recurring", None, about=template, made=f"not on {day}"))
    made = found.made.get(day)
    if made is not None:
        await _give_back(live, who, made.ride)
    await write(live, who.rider, structs.replace(found, skipped=(*found.skipped, day)))
    return await one(template, who, live)


@router.post("/{template}/unskip", responses=answers("no_such_template", "no_such_date"))
async def unskip(template: Id, ask: SkipAsk, who: ForRider, live: LiveZone) -> TemplateSaid:
    """Travel on that date after all."""
    found, day = await _own(live, who, template), ask.date.isoformat()
    if day not in found.skipped:
        raise Problem("no_such_date")
    await note(live, by_phone(who, "recurring", None, about=template, made=f"on {day}"))
    rest = {date: made for date, made in found.made.items() if date != day}
    again = structs.replace(found, skipped=tuple(date for date in found.skipped if date != day), made=rest)
    await write(live, who.rider, again)
    await live.recurring.make(live, who.rider, template)
    return await one(template, who, live)


@router.delete("/{template}", responses=answers("no_such_template"))
async def end(
    template: Id,
    who: ForRider,
    live: LiveZone,
    keep_rides: Annotated[bool, Query(description="rides that are booked already stay")] = False,
) -> Done:
    """End it. Its rides that are still ahead are given back."""
    found = await _own(live, who, template)
    await note(live, by_phone(who, "recurring", None, about=template, made="ended"))
    await drop(live, who.rider, template)
    if not keep_rides:
        for made in found.made.values():
            await _give_back(live, who, made.ride)
    return Done()


async def _own(live: Live, who: For, name: str) -> Template:
    found = await read(live, who.rider, name)
    if found is None:
        raise Problem("no_such_template")
    return found


async def _give_back(live: Live, who: For, ride: str) -> None:
    found = live.ride(ride)
    if found is None or found.request.rider != who.rider or found.state not in ("asked", "queued", "booked"):
        return

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        return desk.cancel(ride, now, "")

    await live.submit(decide)


def _said(live: Live, template: Template) -> TemplateSaid:
    def place(one: Place) -> PlaceAsk:
        return PlaceAsk(stop=one.stop, lat=one.lat, lon=one.lon)

    found = [_occurrence(live, template, date) for date in dates(live)]
    return TemplateSaid.model_validate({
        "id": template.id,
        "from": place(template.origin),
        "to": place(template.goal),
        "weekdays": [WEEKDAYS[day] for day in template.weekdays],
        "depart_at": template.depart_at,
        "arrive_at": template.arrive_at,
        "since": template.since,
        "until": template.until,
        "seats": template.seats,
        "wheelchairs": template.wheelchairs,
        "on_holidays": template.on_holidays,
        "occurrences": [one for one in found if one is not None],
    })  # fmt: skip


def _occurrence(live: Live, template: Template, date: dt.date) -> OccurrenceSaid | None:
    falls = template.falls_on(live, date)
    if falls == "no":
        return None
    made = template.made.get(date.isoformat())
    if falls != "due" or made is None:
        over = live.moments.on_date(date, clock_ms(template.depart_at or template.arrive_at or "")) <= live.now
        state = falls if falls != "due" else "over" if over else "to_be_made"
        return OccurrenceSaid(date=date, state=state, ride=None)  # type: ignore[arg-type]
    ride = live.ride(made.ride)
    known = "refused" if ride is None or ride.state in ("refused", "declined") else ride.state
    state = known if known in ("refused", "cancelled") else "made"
    return OccurrenceSaid(date=date, state=state, ride=made.ride)  # type: ignore[arg-type]
