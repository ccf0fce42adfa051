"""What a trial found: effect, interval, guardrails, and what of all this was fixed before its first day."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final, Literal

from msgspec import Struct

from simulator import lab_charts as charts
from simulator.bands import better
from simulator.journeys import TALLIED
from simulator.lab_page import facts, figure, page, paragraphs, section, table
from simulator.report_figures import in_korean, told
from simulator.trial import Switchback
from simulator.trial_analysis import (
    Effect,
    Kept,
    effect,
    mean,
    pair_tallies,
    paired_units,
    switchback_means,
    switchback_units,
)
from simulator.trial_plan import Plan
from simulator.trial_run import Results

PAGE: Final = "trial.html"
EXPLORED: Final = (
    "service_rate", "wait_mean_s", "wait_p95_s", "ride_to_direct_mean", "km_per_rider", "empty_share", "pooling_rate",
    "promises_broken", "equity.least_zone_service_rate", "equity.zone_service_gap_share",
)  # fmt: skip


class Look(Struct, frozen=True):
    """One moment at which the plan allows to look."""

    units: int
    effect: Effect


class ArmResult(Struct, frozen=True):
    """One arm against the base arm."""

    arm: str
    primary: Effect
    """at the look at which the trial ended"""
    looks: tuple[Look, ...]
    ended: Literal["all days", "early", "unfinished"]
    guardrails: dict[str, tuple[Effect, float, Kept]]
    explored: tuple[Effect, ...]
    """not planned: for questions, not for answers"""


def analyse(plan: Plan, results: Results) -> list[ArmResult]:
    """Every arm against the first one."""
    base, *others = plan.arms
    return [_arm(plan, results, base, arm) for arm in others]


def html(name: str, plan: Plan, results: Results, found: Sequence[ArmResult], changed: Sequence[str]) -> bytes:
    """The page of a trial."""
    metric, base = plan.words.metric, next(iter(plan.arms))
    sections = [
        _answer(plan, base, found),
        _guardrails(plan, found),
        _fixed(plan, results, changed),
        _explored(found, base),
        _days(plan),
    ]
    words = f"{escape(plan.words.question)} {escape(' '.join(sentence(plan, one) for one in found))}"
    korean = " ".join(_korean(metric, base, one) for one in found)
    sections.insert(0, section("요약", paragraphs([korean])))
    return page(name, "trial", words, sections, simulated=results.source == "simulated")


def sentence(plan: Plan, found: ArmResult) -> str:
    """The answer in plain English."""
    metric, base, band = plan.words.metric, next(iter(plan.arms)), found.primary.band
    if found.ended == "unfinished":
        return f"{found.arm}: not all planned days are there yet, so the trial has no answer."
    if band is None or band.low is None or band.high is None:
        return f"{found.arm}: the days say nothing about {metric}."
    interval = (f"{charts.difference_told(metric, band.mean)} (between {charts.difference_told(metric, band.low)} and "
                f"{charts.difference_told(metric, band.high)})")  # fmt: skip
    verdict = found.primary.verdict
    if verdict == "no difference shown":
        return f"{found.arm}: no difference in {metric} was shown against {base}: {interval}."
    broken = [name for name, (_, _, kept) in found.guardrails.items() if kept != "kept"]
    rails = f" Guardrails not shown to hold: {', '.join(broken)}." if broken else ""
    return f"{found.arm} is {verdict} than {base} in {metric}: {interval}.{rails}"


def as_json(plan: Plan, results: Results, found: Sequence[ArmResult], changed: Sequence[str]) -> dict[str, Any]:
    """One object of everything that the page tells."""
    import msgspec

    return {
        "question": plan.words.question, "metric": plan.words.metric, "base": next(iter(plan.arms)),
        "plan": plan.hash, "planned_at": plan.planned_at, "source": results.source, "days": plan.days,
        "power": plan.power, "effect_sought": plan.words.size.effect,
        "arms": [{**msgspec.to_builtins(one), "verdict": one.primary.verdict, "sentence": sentence(plan, one)}
                 for one in found],
        "changed_since_plan": list(changed), "departures": results.departures,
    }  # fmt: skip


def rows(found: Sequence[ArmResult]) -> list[tuple[str, ...]]:
    """Rows of effects.csv: arm, role, metric, base, arm's, difference, low, high, verdict."""
    out = []
    for one in found:
        roles = [("primary", one.primary, str(one.primary.verdict))]
        roles += [("guardrail", found_, kept) for found_, _, kept in one.guardrails.values()]
        roles += [("explored", found_, "") for found_ in one.explored]
        for role, e, verdict in roles:
            numbers = (e.base, e.arm, *((e.band.mean, e.band.low, e.band.high) if e.band else (None, None, None)))
            out.append((one.arm, role, e.metric, *("" if n is None else f"{n:.6g}" for n in numbers), verdict))
    return out


HEADER: Final = ("arm", "role", "metric", "base", "value", "difference", "low", "high", "verdict")


def _arm(plan: Plan, results: Results, base: str, arm: str) -> ArmResult:
    switchback = isinstance(plan.words.design, Switchback)
    planned = len(plan.pairs) if switchback else plan.days
    metric, alpha, looks = plan.words.metric, plan.alpha, plan.words.stopping.looks
    units = _units(plan, results, base, arm, metric)
    taken: list[Look] = []
    ended: Literal["all days", "early", "unfinished"] = "unfinished"
    for look in range(1, looks + 1):
        n = -(-planned * look // looks)
        if len(units) < n:
            break
        taken.append(Look(n, _effect(plan, results, base, arm, metric, alpha, n)))
        if look == looks:
            ended = "all days"
        elif taken[-1].effect.verdict != "no difference shown":
            ended = "early"
            break
    n = taken[-1].units if taken else len(units)
    rails = {}
    for name, rail in plan.words.guardrails.items():
        found = _effect(plan, results, base, arm, name, plan.words.size.alpha, n)
        rails[name] = (found, rail.worse_by, found.guarded(rail.worse_by))
    explored = [name for name in (TALLIED if switchback else EXPLORED) if name not in (metric, *rails)]
    primary = taken[-1].effect if taken else _effect(plan, results, base, arm, metric, alpha, n)
    return ArmResult(
        arm, primary, tuple(taken), ended, rails,
        tuple(_effect(plan, results, base, arm, name, plan.words.size.alpha, n) for name in explored),
    )  # fmt: skip


def _units(plan: Plan, results: Results, base: str, arm: str, metric: str) -> list[float]:
    if isinstance(plan.words.design, Switchback):
        return switchback_units(pair_tallies(results.blocks, plan.pairs, base), metric)
    days = [(a, b) for a, b in zip(results.figures[base], results.figures[arm], strict=True) if a and b]
    return paired_units([a for a, _ in days], [b for _, b in days], metric)


def _effect(plan: Plan, results: Results, base: str, arm: str, metric: str, alpha: float, n: int) -> Effect:
    """On the first `n` units."""
    units = _units(plan, results, base, arm, metric)[:n]
    if isinstance(plan.words.design, Switchback):
        means = switchback_means(pair_tallies(results.blocks, plan.pairs, base)[:n], metric)
    else:
        means = (_mean(results, base, metric, n), _mean(results, arm, metric, n))
    return effect(metric, units, *means, alpha)


def _mean(results: Results, arm: str, metric: str, n: int) -> float | None:
    return mean([day.get(metric) for day in results.figures[arm][:n] if day is not None])


def _answer(plan: Plan, base: str, found: Sequence[ArmResult]) -> str:
    metric = plan.words.metric
    chart = charts.intervals(metric, [(one.arm, one.primary.band) for one in found], zero=True)
    head = ["", base, "arm", "difference", "interval", "verdict"]
    body = [
        [one.arm, _said(metric, one.primary.base), _said(metric, one.primary.arm), *_difference(one.primary),
         one.primary.verdict if one.ended != "unfinished" else "unfinished"]
        for one in found
    ]  # fmt: skip
    return figure(
        f"Primary metric: {metric}",
        f"Difference from {base}; {'more' if better(metric) > 0 else 'less'} is better. Where the bar meets the dashed "
        "line, no difference is shown.",
        chart + table(head, body),
    )


def _guardrails(plan: Plan, found: Sequence[ArmResult]) -> str:
    if not plan.words.guardrails:
        return section("Guardrails", "<p>The plan has none.</p>")
    body = [
        [f"{one.arm}: {name}", *_difference(e), charts.difference_told(name, -margin * better(name)), kept]
        for one in found
        for name, (e, margin, kept) in one.guardrails.items()
    ]
    words = (
        "<p>Kept: the whole interval is better than the margin. Broken: all of it is worse. Else nothing is shown.</p>"
    )
    return section("Guardrails", words + table(["", "difference", "interval", "no worse than", "verdict"], body))


def _fixed(plan: Plan, results: Results, changed: Sequence[str]) -> str:
    w = plan.words
    pairs = {
        "planned": f"{plan.planned_at}, hash {plan.hash[:16]}…",
        "question": w.question,
        "arms": ", ".join(plan.arms),
        "primary metric": w.metric,
        "guardrails": ", ".join(f"{name} (worse by at most {rail.worse_by:g})" for name, rail in w.guardrails.items())
        or "none",
        "design": _design(plan),
        "size": f"{plan.days} days: power {100 * plan.power:.0f} % for an effect of {w.size.effect:g}, alpha "
        f"{w.size.alpha:g}; from {w.size.pilot_days} pilot days, which differ by {plan.pilot_sd:.4g}",
        "stopping rule": "after all days" if w.stopping.looks == 1
        else f"{w.stopping.looks} looks, each at alpha {plan.alpha:.4g}",
        "analysis": plan.analysis,
    }  # fmt: skip
    not_fixed = [
        f"Changed in the file since the plan, and not used: {', '.join(changed)}." if changed
        else "Nothing in the trial's file or scenario has changed since the plan.",
        *(f"Departed from the plan: {text}." for text in results.departures),
        "Every figure under “Explored” was chosen without a plan: a question for another trial, not an answer.",
    ]  # fmt: skip
    return section("Fixed in advance", facts(pairs)) + section("Not fixed in advance", paragraphs(not_fixed))


def _design(plan: Plan) -> str:
    design = plan.words.design
    if isinstance(design, Switchback):
        return (f"switchback: blocks of {design.block_s / 3600:g} h, {design.burn_in_s / 60:g} min after a switch not "
                f"counted; {plan.dates[0]} to {plan.dates[-1]}")  # fmt: skip
    return f"paired simulated days, seeds {plan.seeds[0]} to {plan.seeds[-1]}"


def _explored(found: Sequence[ArmResult], base: str) -> str:
    parts = []
    for one in found:
        body = [[e.metric, _said(e.metric, e.base), _said(e.metric, e.arm), *_difference(e)] for e in one.explored]
        parts.append(table([one.arm, base, "arm", "difference", "interval"], body))
    return section("Explored", "".join(parts))


def _days(plan: Plan) -> str:
    curve = table(["days", "power"], [[str(n), f"{100 * power:.0f} %"] for n, power in plan.power_by_days])
    if not plan.schedule:
        return section("Power by days", curve)
    shown = [
        [date, "  ".join(f"{_hm(block.begin)} {block.arm}" for block in blocks)]
        for date, blocks in zip(plan.dates[:28], plan.schedule, strict=False)
    ]
    more = f"<p>The first 28 of {plan.days} days; all are in plan.json.</p>" if plan.days > 28 else ""
    return section("Power by days", curve) + section("Schedule", table(["day", "from, arm"], shown) + more)


def _said(metric: str, value: float | None) -> str:
    return told(metric, value)


def _difference(found: Effect) -> list[str]:
    band, metric = found.band, found.metric
    if band is None:
        return ["–", "–"]
    if band.low is None or band.high is None:
        return [charts.difference_told(metric, band.mean), "–"]
    low, high = charts.difference_told(metric, band.low), charts.difference_told(metric, band.high)
    return [charts.difference_told(metric, band.mean), f"{low} to {high}"]


def _korean(metric: str, base: str, found: ArmResult) -> str:
    """The answer in plain Korean."""
    names = {"service_rate": "수송률", "wait_mean_s": "평균 대기시간", "ride_to_direct_mean": "우회율",
             "km_per_rider": "승객당 주행거리", "acceptance_rate": "예약 성공률"}  # fmt: skip
    name = names.get(metric, metric)
    if found.ended == "unfinished" or found.primary.band is None:
        return f"{found.arm}: 계획한 날이 아직 끝나지 않아 결론이 없습니다."
    change = in_korean(charts.difference_told(metric, found.primary.band.mean))
    verdict = {"better": "더 좋았습니다", "worse": "더 나빴습니다", "no difference shown": "차이가 확인되지 않았습니다"}
    return f"{found.arm}은(는) {base}에 견주어 {name}이(가) {change}: {verdict[found.primary.verdict]}."


def _hm(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}"
