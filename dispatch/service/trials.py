"""Trials in the field: the schedule that `naru trial plan` wrote, kept by the service block by block."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from pydantic import Field, JsonValue, StringConstraints

from dispatch.core import events as ev
from dispatch.service.auth import StaffCaller
from dispatch.service.callers import note
from dispatch.service.coming import Coming
from dispatch.service.live import Live
from dispatch.service.models import Id, Said
from dispatch.service.moments import zero_utc_of
from dispatch.service.operator_models import ReasonAsk
from dispatch.service.policies import changed
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1/operator/trials", tags=["planner"])
MOST_SWITCHES = 5_000
ALONE = ("reoptimise", "queue")
"""rules that a scenario's file switches on and off"""


class _Block(Struct, frozen=True):
    begin: int
    end: int
    arm: str


class _Plan(Struct, frozen=True):
    """What of a plan the service has to know; the rest is for the report."""

    arms: dict[str, list[tuple[str, str]]]
    dates: list[str]
    schedule: list[list[_Block]]
    hash: str


class TrialAsk(ReasonAsk):
    """A plan, as `naru trial plan` wrote it in plan.json."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")]
    plan: Annotated[dict[str, JsonValue], Field(max_length=40)]


class TrialSaid(Said):
    """A trial whose schedule the service keeps."""

    name: str
    hash: str
    """of its plan: the report's, too"""
    author: str
    reason: str
    arms: list[str]
    first_day: str
    last_day: str
    switches_to_come: int
    next_switch_at: dt.datetime | None
    stopped: bool


class _Kept(Struct, frozen=True):
    name: str
    hash: str
    author: str
    reason: str
    arms: list[str]
    first_day: str
    last_day: str
    stopped: bool = False


@router.get("", responses=answers())
async def trials(_: StaffCaller, live: LiveZone) -> list[TrialSaid]:
    """All of them."""
    redis: Any = live.redis
    found = [msgspec.json.decode(one, type=_Kept) for one in await redis.hvals(_key(live))]
    return [await _said(live, one) for one in sorted(found, key=lambda one: one.name)]


@router.post("", status_code=201, responses=answers("plan_unreadable", "plan_altered", "trial_known", "trial_overlaps"))
async def begin(ask: TrialAsk, caller: StaffCaller, live: LiveZone) -> TrialSaid:
    """Keep a switchback's schedule: at each block's beginning its arm's rules come into force, to the millisecond.

    Before the first block of a day and after the last one the rules of the zone's file hold. Blocks that have begun
    already are left out; `naru trial run` tells of them as departures from the plan.
    """
    live.require_ready()
    plan = _read(ask.plan)
    redis: Any = live.redis
    if await redis.hexists(_key(live), ask.name):
        raise Problem("trial_known")
    arms = {arm: _rules(changes) for arm, changes in plan.arms.items()}
    for changes in arms.values():
        changed(live.area.policy, changes)
    coming = [one for one in _switches(live, plan, arms, ask.name) if one.utc > live.moments.zero_utc + live.now]
    if not coming:
        raise Problem("time_past")
    taken = [one for one in await live.coming.all(live) if one.trial is not None]
    if taken and coming[0].utc <= taken[-1].utc and taken[0].utc <= coming[-1].utc:
        raise Problem("trial_overlaps")
    kept = _Kept(ask.name, plan.hash, caller.subject, ask.reason, list(arms), plan.dates[0], plan.dates[-1])
    await note(live, ev.ActTaken(0, "trial", caller.subject, ask.reason, about=ask.name, made="begun"))
    await redis.hset(_key(live), ask.name, msgspec.json.encode(kept))
    await live.coming.add(live, coming)
    return await _said(live, kept)


@router.post("/{trial}/stop", responses=answers("no_such_trial", "nothing_to_change"))
async def stop(trial: Id, ask: ReasonAsk, caller: StaffCaller, live: LiveZone) -> TrialSaid:
    """End a trial before its time: the rules of the zone's file hold again, from now on."""
    redis: Any = live.redis
    found = await redis.hget(_key(live), trial)
    if found is None:
        raise Problem("no_such_trial")
    kept = msgspec.json.decode(found, type=_Kept)
    if not await live.coming.drop(live, lambda one: one.trial == trial):
        raise Problem("nothing_to_change")
    kept = msgspec.structs.replace(kept, stopped=True)
    await redis.hset(_key(live), trial, msgspec.json.encode(kept))
    await note(live, ev.ActTaken(0, "trial", caller.subject, ask.reason, about=trial, made="stopped"))
    now = live.moments.zero_utc + live.now
    await live.coming.add(live, [Coming(now, caller.subject, f"trial {trial} is stopped", {}, trial)])
    return await _said(live, kept)


def _read(sent: dict[str, Any]) -> _Plan:
    """A plan that nobody has altered since it was written. Raises Problem."""
    try:
        plan = msgspec.convert(sent, _Plan)
        for date in plan.dates:
            dt.date.fromisoformat(date)
    except (msgspec.ValidationError, ValueError):
        raise Problem("plan_unreadable") from None
    blocks = [block for day in plan.schedule for block in day]
    ordered = all(b.begin < b.end for b in blocks) and all(
        a.end <= b.begin for day in plan.schedule for a, b in pairwise(day)
    )
    sane = ordered and all(b.begin >= 0 and b.end <= 2 * 86_400_000 and b.arm in plan.arms for b in blocks)
    if not blocks or not sane or len(plan.dates) != len(plan.schedule) or len(blocks) > MOST_SWITCHES:
        raise Problem("plan_unreadable")
    said = msgspec.json.encode({**sent, "hash": ""}, order="sorted")
    if hashlib.sha256(said).hexdigest() != plan.hash:
        raise Problem("plan_altered")
    return plan


def _rules(changes: list[tuple[str, str]]) -> dict[str, Any]:
    """An arm's dotted changes of a scenario as changes of the policy. Raises Problem."""
    found: dict[str, Any] = {}
    for path, text in changes:
        try:
            value = json.loads(text)
        except ValueError:
            raise Problem("plan_unreadable") from None
        first, _, rest = path.partition(".")
        if first != "policy" or (not rest and not isinstance(value, dict)):
            raise Problem("plan_unreadable")
        if not rest:
            found |= value
            continue
        *parents, last = rest.split(".")
        at = found
        for parent in parents:
            at = at.setdefault(parent, {})
            if not isinstance(at, dict):
                raise Problem("plan_unreadable")
        at[last] = value
    for rule in ALONE:
        if isinstance(found.get(rule), bool):
            found[rule] = {} if found[rule] else None
    found.pop("version", None)
    return found


def _switches(live: Live, plan: _Plan, arms: dict[str, dict[str, Any]], name: str) -> list[Coming]:
    coming: list[Coming] = []
    for date, day in sorted(zip(plan.dates, plan.schedule, strict=True)):
        zero = zero_utc_of(dt.date.fromisoformat(date), live.moments.timezone.key)
        held = None
        for k, block in enumerate(day):
            if block.arm != held:
                reason = f"trial {name}: arm {block.arm}"
                coming.append(Coming(zero + block.begin, f"trial:{name}", reason, arms[block.arm], name))
            held = block.arm
            if k + 1 == len(day) or day[k + 1].begin > block.end:
                coming.append(Coming(zero + block.end, f"trial:{name}", f"trial {name}: between blocks", {}, name))
                held = None
    return coming


async def _said(live: Live, kept: _Kept) -> TrialSaid:
    coming = [one.utc for one in await live.coming.all(live) if one.trial == kept.name]
    return TrialSaid(
        name=kept.name,
        hash=kept.hash,
        author=kept.author,
        reason=kept.reason,
        arms=kept.arms,
        first_day=kept.first_day,
        last_day=kept.last_day,
        switches_to_come=len(coming),
        next_switch_at=None if not coming else live.moments.told(coming[0] - live.moments.zero_utc),
        stopped=kept.stopped,
    )


def _key(live: Live) -> str:
    return f"{{{live.area.name}}}:trials"
