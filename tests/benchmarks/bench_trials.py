"""Trials find what is there and not what isn't: A/A, A/B, the coin a rider, and the switchback, on a busy Nauru.

`python -m tests.benchmarks.bench_trials [days] [jobs]`, about two minutes on one core. Demand is simulated: days of
160 attempts for three shuttles. 200 days of each arm are lived; the trials resample them, as days are independent.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import msgspec
import numpy as np

from dispatch.core import events as ev
from simulator.days import Changes, Figures, Job, every_day
from simulator.journeys import Tally, journeys, tally
from simulator.scenario import load_scenario
from simulator.simulate import day_of, desk_for, live, roads, warm
from simulator.streams import Stream
from simulator.trial import Trial, read_trial
from simulator.trial_analysis import (
    needed,
    pair_tallies,
    paired_units,
    power,
    significant,
    switchback_means,
    switchback_units,
)
from simulator.trial_plan import Block, make_schedule
from simulator.trial_run import switched_job

BUSY: dict[str, str] = {
    "requests.attempts": "160",
    "policy.reoptimise": "off",
    "policy.queue": "off",
    "policy.later_s": "0",
    "policy.walk_m": "0",
}
TRIALS, ALPHA, GOAL = 200, 0.05, 0.8
POWER_TRIALS = 2000
"""of 200 the share found has a standard error of 2.8 points, too much to be held against a bound of five"""
HOURS = (6 * 3_600_000, 11 * 3_600_000)
SLOT = 600_000
METRIC = "service_rate"
TRIAL = """
question: Does a wait of up to {b} s instead of {a} s carry more riders?
scenario: nauru
arms:
  base: {{policy.max_wait_s: {a}}}
  other: {{policy.max_wait_s: {b}}}
metric: service_rate
size: {{effect: 0.05}}
design: {{kind: switchback, block_s: 3600, burn_in_s: 1800, hours: [06:00, 11:00], days: 16}}
seed: 7
"""


def arm(max_wait_s: int) -> Changes:
    """Busy Nauru under one rule."""
    return tuple({**BUSY, "policy.max_wait_s": str(max_wait_s)}.items())


def lived(changes: Changes, seeds: range, jobs: int) -> list[Figures]:
    """Days with their tallies by ten minutes."""
    windows = tuple((at, at + SLOT) for at in range(*HOURS, SLOT))
    return every_day([Job("nauru", changes, seed, (), windows) for seed in seeds], processes=jobs)


def within(day: Figures, block: Block) -> dict[str, float]:
    """The tally of a block, added up from ten minutes each."""
    slots = range((block.counted_from - HOURS[0]) // SLOT, (block.end - HOURS[0]) // SLOT)
    total = sum((Tally(**day["windows"][slot]) for slot in slots), Tally())
    return dict(msgspec.to_builtins(total))


def trial_of(folder: Path, a: int, b: int) -> Trial:
    """A switchback of two waits."""
    path = folder / "trial.yaml"
    path.write_text(TRIAL.format(a=a, b=b), encoding="utf-8")
    return read_trial(path)


def false_alarms(days: list[Figures], folder: Path, rng: np.random.Generator) -> tuple[float, float]:
    """Shares of A/A trials that claim a difference: ten days against ten others; a switchback of 16 days."""
    unpaired = back = 0
    trial = trial_of(folder, 300, 600)
    for n in range(TRIALS):
        drawn = rng.permutation(len(days))[:20]
        units = paired_units([days[i] for i in drawn[:10]], [days[i] for i in drawn[10:]], METRIC)
        unpaired += bool(significant(np.array(units), ALPHA))
        words = msgspec.structs.replace(trial.words, seed=n)
        schedule, pairs = make_schedule(msgspec.structs.replace(trial, words=words), 16)
        chosen = rng.permutation(len(days))[:16]
        blocks = [[(b.arm, within(days[i], b)) for b in day] for i, day in zip(chosen, schedule, strict=True)]
        back += bool(significant(np.array(switchback_units(pair_tallies(blocks, pairs, "base"), METRIC)), ALPHA))
    return unpaired / TRIALS, back / TRIALS


def found(a: list[Figures], b: list[Figures], rng: np.random.Generator) -> tuple[float, int, float, float]:
    """(true effect, days planned, planned power, share of trials that found it)."""
    units = np.array(paired_units(a, b, METRIC))
    effect = float(units.mean())
    n = needed(units.tolist(), effect, GOAL, ALPHA, 1, 365)
    assert n is not None
    planned = power(units.tolist(), effect, n, ALPHA, 1)
    draws = units[rng.integers(0, len(units), (POWER_TRIALS, n))]
    return effect, n, planned, float(significant(draws, ALPHA).mean())


def pooled(days: list[Figures]) -> float:
    """Delivered ÷ attempts between the hours, over all days."""
    total = sum((Tally(**slot) for day in days for slot in day["windows"]), Tally())
    return total.delivered / total.attempts


def switchback(folder: Path, a: int, b: int, days: int, jobs: int) -> tuple[float, float]:
    """(effect by the switchback's analysis, standard error)."""
    trial = trial_of(folder, a, b)
    arms = {"base": arm(a), "other": arm(b)}
    schedule, pairs = make_schedule(trial, days)
    todo = [switched_job("nauru", arms, seed, blocks) for seed, blocks in enumerate(schedule, 1)]
    done = every_day(todo, processes=jobs)
    labelled = [
        [(block.arm, found) for block, found in zip(blocks, day["windows"], strict=True)]
        for blocks, day in zip(schedule, done, strict=True)
    ]
    tallies = pair_tallies(labelled, pairs, "base")
    units = np.array(switchback_units(tallies, METRIC))
    base, other = switchback_means(tallies, METRIC)
    assert base is not None
    assert other is not None
    return other - base, float(units.std(ddof=1) / np.sqrt(len(units)))


def coin(a: int, b: int, days: int) -> float:
    """Effect where each rider's rules are tossed for: riders of both arms share the shuttles."""
    under = {True: Tally(), False: Tally()}
    first = load_scenario("nauru", changes=dict(arm(a)))
    times = roads(first)
    for seed in range(1, days + 1):
        scenario = load_scenario("nauru", changes=dict(arm(a)), seed=seed)
        other = load_scenario("nauru", changes=dict(arm(b)), seed=seed)
        day = day_of(scenario, times)
        heads = {request.id: Stream(seed, "coin", request.id).chance(0.5) for _, request in day.requests}
        policies = {True: other.policy, False: scenario.policy}
        rules = tuple(ev.PolicyChanged(at, policies[heads[request.id]]) for at, request in day.requests)
        outcome = live(msgspec.structs.replace(day, rules=rules), desk_for(scenario, times), scenario.network)
        for name, journey in journeys(outcome.events).items():
            under[heads[name]] += tally([journey], *HOURS)
    one, none = under[True].figure(METRIC), under[False].figure(METRIC)
    assert one is not None
    assert none is not None
    return one - none


def main(days: int, jobs: int) -> int:
    """Print what was found; 1 if anything is not as it must be."""
    warm()
    began, rng, seeds = perf_counter(), np.random.default_rng(1), range(1, days + 1)
    wrong = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        five, six, twenty = (lived(arm(wait), seeds, jobs) for wait in (300, 330, 1200))
        print(f"{3 * days} days lived in {perf_counter() - began:.0f} s")
        alarms = false_alarms(five, folder, rng)
        for what, share in zip(("days against other days", "switchback of 16 days"), alarms, strict=True):
            print(f"{TRIALS} A/A trials, {what}: {100 * share:.1f} % false alarms (5 ± 3)")
            wrong += [what] * (not 0.02 <= share <= 0.08)
        effect, n, planned, share = found(five, six, rng)
        print(f"{POWER_TRIALS} A/B trials of {n} paired days, true effect {100 * effect:+.2f} points: found in "
              f"{100 * share:.1f} %, planned power {100 * planned:.1f} % (± 5)")  # fmt: skip
        wrong += ["power"] * (abs(share - planned) > 0.05)
        truth = pooled(twenty) - pooled(five)
        print(f"all riders under 1,200 s against all under 300 s: truth {100 * truth:+.2f} points")
        tossed = coin(300, 1200, days // 2)
        print(f"a coin a rider says {100 * tossed:+.2f} points: off by {100 * (tossed / truth - 1):+.0f} %")
        back, error = switchback(folder, 300, 1200, days, jobs)
        print(f"the switchback says {100 * back:+.2f} points (standard error {100 * error:.2f}): off by "
              f"{100 * (back / truth - 1):+.0f} % (at most 15)")  # fmt: skip
        wrong += ["coin"] * (abs(tossed / truth - 1) < 0.15) + ["switchback"] * (abs(back / truth - 1) > 0.15)
    print(f"{perf_counter() - began:.0f} s in all" + (f"; NOT AS IT MUST BE: {', '.join(wrong)}" if wrong else ""))
    return bool(wrong)


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*given, *(200, 1)[len(given) :]))
