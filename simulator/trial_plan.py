"""The plan of a trial: how many days, which, and when which arm, written down with a hash before the first of them.

Days come from a power analysis by simulation (`trial_analysis.power`): pilot days, which are no days of the trial, tell
how much days differ. A switchback's schedule is drawn so that each two paired days mirror each other: whatever hour one
gives to an arm, the other gives to the other arm. Paired days lie a week apart where the trial is long enough, so that
arms are balanced over hours and weekdays; where blocks begin is drawn for each pair, so that the burn-in falls on all
hours alike.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from routing.errors import InputError
from simulator.days import Changes, Job, Progress, every_day, file_fingerprint
from simulator.outputs import write_whole
from simulator.scenario import load_scenario
from simulator.streams import Stream
from simulator.trial import Switchback, Trial, TrialFile
from simulator.trial_analysis import needed, pair_tallies, paired_units, power, switchback_units
from simulator.yaml_lines import clock

PLAN: Final = "plan.json"
SEEDS: Final = 1_000_000
"""a trial with seed s lives days s × 1,000,000 + 1, …; its pilot days lie in the upper half"""
GRID_MS: Final = 600_000
"""blocks begin on multiples of ten minutes"""


class Block(Struct, frozen=True):
    """One arm's turn within a day, ms of the service day."""

    begin: int
    end: int
    arm: str
    counted_from: int
    """later than `begin` by the burn-in after a switch"""


class Plan(Struct, frozen=True):
    """Everything that is fixed in advance."""

    words: TrialFile
    arms: dict[str, Changes]
    scenario: str
    """fingerprint of the scenario's files"""
    version: str
    planned_at: str
    seeds: tuple[int, ...]
    """of the days, in order"""
    dates: tuple[str, ...]
    schedule: tuple[tuple[Block, ...], ...]
    """of a switchback: each day's blocks"""
    pairs: tuple[tuple[int, int], ...]
    """of a switchback: which days mirror each other"""
    pilot_mean: float
    pilot_sd: float
    """of one unit's difference"""
    power: float
    """chance to find an effect as small as `size.effect`"""
    power_by_days: tuple[tuple[int, float], ...]
    analysis: str
    hash: str = ""

    @property
    def alpha(self) -> float:
        """Of each look."""
        return self.words.size.alpha / self.words.stopping.looks

    @property
    def days(self) -> int:
        """How many."""
        return len(self.seeds)


def make_plan(
    trial: Trial, *, processes: int = 1, cluster: str | None = None, folder: Path | None = None,
    progress: Progress | None = None,
) -> Plan:  # fmt: skip
    """Pilot days, power analysis, seeds and schedule. Raises InputError where no number of days would be enough."""
    from importlib.metadata import version

    words, design = trial.words, trial.words.design
    size, alpha = words.size, words.size.alpha / words.stopping.looks
    switchback = isinstance(design, Switchback)
    running = {"processes": processes, "cluster": cluster, "folder": folder, "progress": progress}
    units = _pilot(trial, running)  # type: ignore[arg-type]
    if len(units) < 3 or max(units) == min(units):
        raise InputError("pilot days do not differ, so no number of days can be told", file=trial.file,
                         field="metric", expected="a metric that varies, and arms that change it")  # fmt: skip
    a_unit, most = (2 if switchback else 1), size.most_days // (2 if switchback else 1)
    if design.days is None:
        found = needed(units, size.effect, size.power, alpha, words.seed, most)
        if found is None:
            raise InputError(f"{size.most_days} days find an effect of {size.effect:g} too seldom", file=trial.file,
                             field="size.most_days", expected="more days, or a larger effect to look for")  # fmt: skip
        days = found * a_unit
    else:
        days = design.days + design.days % a_unit
    days = max(days, 2 * a_unit, words.stopping.looks * 2 * a_unit)
    counts = sorted({max(2, round(days / a_unit * share)) for share in (0.25, 0.5, 0.75, 1, 1.25, 1.5)})
    curve = tuple((n * a_unit, power(units, size.effect, n, alpha, words.seed)) for n in counts)
    first = words.seed * SEEDS
    schedule, pairs = make_schedule(trial, days) if isinstance(design, Switchback) else ((), ())
    date = dt.date.fromisoformat(_first_day(trial))
    mean = sum(units) / len(units)
    plan = Plan(
        words=words,
        arms=trial.arms,
        scenario=file_fingerprint(trial.scenario),
        version=version("naru-transit"),
        planned_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        seeds=tuple(range(first + 1, first + days + 1)),
        dates=tuple((date + dt.timedelta(days=i)).isoformat() for i in range(days)) if switchback else (),
        schedule=schedule,
        pairs=pairs,
        pilot_mean=mean,
        pilot_sd=(sum((unit - mean) ** 2 for unit in units) / (len(units) - 1)) ** 0.5,
        power=power(units, size.effect, days // a_unit, alpha, words.seed),
        power_by_days=curve,
        analysis=_analysis(switchback),
    )
    return msgspec.structs.replace(plan, hash=plan_hash(plan))


def plan_hash(plan: Plan) -> str:
    """Of everything in it but the hash itself."""
    said = msgspec.json.encode(msgspec.structs.replace(plan, hash=""), order="sorted")
    return hashlib.sha256(said).hexdigest()


def write_plan(folder: Path, plan: Plan) -> Path:
    """Write plan.json. Raises InputError if another plan is there already and results were taken under it."""
    path = folder / PLAN
    if (folder / "results.json").exists():
        raise InputError("results were taken under the plan that is here", file=path, expected="another folder: --out")
    write_whole(path, msgspec.json.format(msgspec.json.encode(plan)) + b"\n")
    return path


def read_plan(folder: Path) -> Plan:
    """The plan in a folder. Raises InputError if there is none, or if it was altered after it was written."""
    path = folder / PLAN
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except FileNotFoundError:
        raise InputError("there is no plan", file=path, expected="naru trial plan, before run and report") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"cannot be read ({error})", file=path, expected="the plan as it was written") from None
    if plan_hash(plan) != plan.hash:
        raise InputError("was altered after it was written", file=path, field="hash", expected=plan_hash(plan))
    return plan


def changed_since(plan: Plan, trial: Trial) -> list[str]:
    """What of the trial's file and scenario is no longer as the plan has it."""
    then, now = msgspec.to_builtins(plan.words), msgspec.to_builtins(trial.words)
    changed = [key for key in then if then[key] != now.get(key)]
    if plan.arms != trial.arms and "arms" not in changed:
        changed.append("arms (a policy's file)")
    if plan.scenario != file_fingerprint(trial.scenario):
        changed.append("the scenario's files")
    return changed


def _pilot(trial: Trial, running: dict[str, object]) -> list[float]:
    """Differences of pilot units; of a switchback under the base arm throughout, so its true effect is nil."""
    words, design = trial.words, trial.words.design
    count, first = words.size.pilot_days, words.seed * SEEDS + SEEDS // 2
    if isinstance(design, Switchback):
        count += count % 2
        schedule, pairs = make_schedule(trial, count)
        jobs = [
            Job(trial.scenario, trial.arms[trial.base], first + i, (), _windows(blocks))
            for i, blocks in enumerate(schedule)
        ]
        done = every_day(jobs, **running)  # type: ignore[arg-type]
        days = [
            [(block.arm, found) for block, found in zip(blocks, day["windows"], strict=True)]
            for blocks, day in zip(schedule, done, strict=True)
        ]
        return switchback_units(pair_tallies(days, pairs, trial.base), words.metric)
    other = list(trial.arms)[1]
    jobs = [Job(trial.scenario, trial.arms[arm], first + i) for arm in (trial.base, other) for i in range(count)]
    done = every_day(jobs, **running)  # type: ignore[arg-type]
    return paired_units(done[:count], done[count:], words.metric)


def _windows(blocks: tuple[Block, ...]) -> tuple[tuple[int, int], ...]:
    return tuple((block.counted_from, block.end) for block in blocks)


def _first_day(trial: Trial) -> str:
    design = trial.words.design
    if isinstance(design, Switchback) and design.first_day is not None:
        try:
            return dt.date.fromisoformat(design.first_day).isoformat()
        except ValueError:
            raise InputError(f"{design.first_day!r} is no date", file=trial.file, field="design.first_day",
                             expected="year-month-day") from None  # fmt: skip
    return load_scenario(trial.scenario).date


def make_schedule(trial: Trial, days: int) -> tuple[tuple[tuple[Block, ...], ...], tuple[tuple[int, int], ...]]:
    """(each day's blocks, which days mirror each other) of a switchback."""
    design = trial.words.design
    assert isinstance(design, Switchback)
    if design.hours is not None:
        begin, end = (int(clock(text)) for text in design.hours)
    else:
        service = load_scenario(trial.scenario).service_hours
        if service is None:
            raise InputError("the scenario has no service hours", file=trial.file, field="design.hours",
                             expected="the hours in which arms take turns: [06:00, 22:00]")  # fmt: skip
        begin, end = int(service.begin), int(service.end)
    if end - begin < 2 * design.block_s * 1000:
        raise InputError("a day holds fewer than two blocks", file=trial.file, field="design.block_s",
                         expected=f"at most {(end - begin) // 2000} s")  # fmt: skip
    base, other = trial.arms
    fortnights = days // 14 * 14
    pairs = [(week + w, week + w + 7) for week in range(0, fortnights, 14) for w in range(7)]
    pairs += [(i, i + 1) for i in range(fortnights, days, 2)]
    blocks: dict[int, tuple[Block, ...]] = {}
    for n, (i, j) in enumerate(pairs):
        stream = Stream(trial.words.seed, "schedule", n)
        block = design.block_s * 1000
        offset = stream.below(block // GRID_MS) * GRID_MS
        starts = [begin, *range(begin + (offset or block), end, block)]
        half = [base, other] * (len(starts) // 2 + 1)
        arms = stream.shuffled(half[: len(starts)] if stream.chance(0.5) else half[1 : len(starts) + 1])
        mirrored = [other if arm == base else base for arm in arms]
        blocks[i] = _blocks(starts, end, arms, design.burn_in_s * 1000)
        blocks[j] = _blocks(starts, end, mirrored, design.burn_in_s * 1000)
    return tuple(blocks[i] for i in range(days)), tuple(sorted(pairs))


def _blocks(starts: list[int], end: int, arms: list[str], burn_in: int) -> tuple[Block, ...]:
    """Neighbours under one arm need no burn-in; nor does the morning, when nobody is on the way."""
    out = []
    for k, (at, arm) in enumerate(zip(starts, arms, strict=True)):
        until = starts[k + 1] if k + 1 < len(starts) else end
        switched = k > 0 and arms[k - 1] != arm
        out.append(Block(at, until, arm, min(until, at + burn_in) if switched else at))
    return tuple(out)


def _analysis(switchback: bool) -> str:
    if switchback:
        return ("Unit: two days whose blocks mirror each other. Difference of the arms' ratios over all counted blocks "
                "of both days; Student's interval over units.")  # fmt: skip
    return "Unit: a day that all arms lived with the same people. Difference of the day's figure; Student's interval."
