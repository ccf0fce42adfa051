"""A day in a few plain sentences, in English and in Korean, for those who read no table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.report_figures import look_up, told


def english(kpis: Mapping[str, Any]) -> str:
    """What happened, in English."""
    attempts, delivered = kpis["attempts"], kpis["delivered"]
    if not attempts:
        return "Nobody asked for a ride on this day."
    if not delivered:
        return f"{attempts:,} journeys were asked for; none was carried out."
    wait, ride = told("wait_mean_s", kpis["wait_mean_s"]), told("ride_mean_s", kpis["ride_mean_s"])
    kept = "every promise was kept" if not kpis["promises_broken"] else f"{kpis['promises_broken']:,} promises broke"
    words = (
        f"Of {attempts:,} journeys asked for, {delivered:,} were carried out, "
        f"{told('service_rate', kpis['service_rate'])}. Riders waited {wait} and rode {ride} on average; {kept}."
    )
    hoped = look_up(kpis, "extra.refused_wait_mean_s")
    if kpis["refused"]:
        words += f" {kpis['refused']:,} were refused"
        words += f", after {told('wait_s', hoped)} of trying on average." if hoped and hoped >= 30 else "."
    subsidy = look_up(kpis, "extra.money.subsidy_per_rider")
    if subsidy is not None:
        cost = look_up(kpis, "extra.money.cost_per_rider")
        words += f" A rider cost {cost:,.0f}, of which {subsidy:,.0f} was not paid by fares."
    bus, naru = look_up(kpis, "extra.baselines.bus_mean_s"), look_up(kpis, "extra.baselines.naru_mean_s")
    if bus is not None and naru is not None:
        share = told("bus_share", look_up(kpis, "extra.baselines.bus_share"))
        words += (
            f" Door to door their journeys took {told('naru_s', naru)}; by the fixed buses, which could have carried "
            f"{share} of them, {told('bus_s', bus)}."
        )
    return words


def korean(kpis: Mapping[str, Any]) -> str:
    """The same in Korean."""
    attempts, delivered = kpis["attempts"], kpis["delivered"]
    if not attempts:
        return "이날은 이용을 요청한 사람이 없었습니다."
    if not delivered:
        return f"이동 요청 {attempts:,}건 가운데 운행된 것이 없습니다."
    broken = kpis["promises_broken"]
    kept = f"약속 {broken:,}건을 지키지 못했습니다" if broken else "약속한 시각은 모두 지켰습니다"
    words = (
        f"이동 요청 {attempts:,}건 가운데 {delivered:,}건({100 * kpis['service_rate']:.1f}%)을 운행했습니다. "
        f"승객은 평균 {_minutes(kpis['wait_mean_s'])} 기다려 {_minutes(kpis['ride_mean_s'])} 타고 갔으며, {kept}."
    )
    hoped = look_up(kpis, "extra.refused_wait_mean_s")
    if kpis["refused"]:
        words += f" {kpis['refused']:,}건은 거절되었습니다"
        words += f"(거절되기까지 평균 {_minutes(hoped)} 시도)." if hoped and hoped >= 30 else "."
    subsidy = look_up(kpis, "extra.money.subsidy_per_rider")
    if subsidy is not None:
        cost = look_up(kpis, "extra.money.cost_per_rider")
        words += f" 승객 한 사람에 든 비용은 {cost:,.0f}, 그중 요금으로 메우지 못한 것은 {subsidy:,.0f}입니다."
    bus, naru = look_up(kpis, "extra.baselines.bus_mean_s"), look_up(kpis, "extra.baselines.naru_mean_s")
    if bus is not None and naru is not None:
        share = 100 * (look_up(kpis, "extra.baselines.bus_share") or 0)
        words += (
            f" 문에서 문까지 평균 {_minutes(naru)} 걸렸습니다. 같은 이동 가운데 {share:.0f}%는 노선버스로도 갈 수 "
            f"있었고, 그때는 평균 {_minutes(bus)} 걸립니다."
        )
    return words


def _minutes(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f}초" if abs(seconds) < 60 else f"{seconds / 60:.1f}분"
