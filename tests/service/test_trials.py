"""A trial in the field: the plan's schedule is kept to the millisecond, and `naru trial run` reads the log."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import msgspec

from dispatch.core import events as ev
from dispatch.core.events import log_line
from simulator.trial import Trial, read_trial
from simulator.trial_plan import Plan, make_schedule, plan_hash
from simulator.trial_run import read_field
from tests.service.test_changes import judged
from tests.service.towns import Served, served

TRIAL = """
question: Does a longer wait carry more?
scenario: nauru
arms:
  short: {policy.max_wait_s: 240, policy.queue: off}
  long: {policy.max_wait_s: 1200, policy.fares.base: 100}
metric: service_rate
size: {effect: 0.1, pilot_days: 5}
design: {kind: switchback, block_s: 3600, burn_in_s: 900, hours: [07:00, 11:00], days: 2}
"""


def planned(folder: Path) -> tuple[Trial, Plan]:
    """A plan as `naru trial plan` writes it, its power analysis left out."""
    (folder / "trial.yaml").write_text(TRIAL, encoding="utf-8")
    trial = read_trial(folder / "trial.yaml")
    schedule, pairs = make_schedule(trial, 2)
    plan = Plan(trial.words, trial.arms, "", "0", "", (1, 2), ("2026-03-03", "2026-03-04"), schedule, pairs, 0.0, 0.1,
                0.8, ((2, 0.8),), "by hand")  # fmt: skip
    return trial, msgspec.structs.replace(plan, hash=plan_hash(plan))


async def until(at_town: Served, hours: float) -> None:
    """Let the clock run in steps of some minutes."""
    while at_town.live.now < hours * 3_600_000:
        await at_town.pass_time(400.4)
        await asyncio.sleep(0.05)


def test_a_plan_is_kept_block_by_block(tmp_path: Path) -> None:
    """Over a restart in the middle; altered plans, plans of no switchback and other trials' days are refused."""
    trial, plan = planned(tmp_path)
    sent: dict[str, Any] = {
        "name": "waits",
        "reason": "season 2",
        "plan": msgspec.json.decode(msgspec.json.encode(plan)),
    }

    async def story() -> None:
        async with served(tmp_path, at="06:30") as at_town:
            token = at_town.token("planner", "sora")

            async def post(body: dict[str, Any], path: str = "") -> Any:
                return (await at_town.call("POST", f"/v1/operator/trials{path}", body, token=token)).json()

            assert (await post({**sent, "plan": {}}))["code"] == "plan_unreadable"
            assert (await post({**sent, "plan": {**sent["plan"], "version": "1"}}))["code"] == "plan_altered"
            begun = await post(sent)
            assert begun["arms"] == ["short", "long"], begun
            assert begun["next_switch_at"].endswith("07:00:00+12:00")
            assert (await post(sent))["code"] == "trial_known"
            assert (await post({**sent, "name": "other"}))["code"] == "trial_overlaps"
            await until(at_town, 8.4)
        async with served(tmp_path, at="08:30") as at_town:
            await until(at_town, 11.3)
            judged(at_town)
            log = [entry.event for entry in at_town.live.ledger.entries]
            rules = [event for event in log if isinstance(event, ev.PolicyChanged) and event.author]
            assert {event.author for event in rules} == {"trial:waits"}
            assert rules[-1].reason == "trial waits: between blocks"
            file_policy = at_town.live.area.policy
            assert msgspec.structs.replace(at_town.live.world.policy, version=1) == file_policy
            opened = log[0]
            assert isinstance(opened, ev.DayOpened)
            (tmp_path / "day").mkdir()
            lines = b"".join(log_line(event, seq, opened.zero_utc) for seq, event in enumerate(log, 1))
            (tmp_path / "day" / "events.jsonl").write_bytes(lines)
            results = read_field(trial, plan, [tmp_path / "day"])
            assert results.departures == ["2026-03-04: no log"]
            assert results.blocks[0] is not None
            assert [arm for arm, _ in results.blocks[0]] == [block.arm for block in plan.schedule[0]]
            stopped = await at_town.call(
                "POST", "/v1/operator/trials/waits/stop", {"reason": "ice"}, token=at_town.token("planner", "sora")
            )
            assert (stopped.json()["stopped"], dt.date.fromisoformat(stopped.json()["last_day"]).day) == (True, 4)

    asyncio.run(story())
