"""A day in a few plain sentences, in English and in Korean, for those who read no table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulator.report_figures import look_up, said

SENTENCES: Final = {
    "en": {
        "nobody": "Nobody asked for a ride on this day.",
        "none": "{attempts:,} journeys were asked for; none was carried out.",
        "carried": "Of {attempts:,} journeys asked for, {delivered:,} were carried out, {service_rate}. Riders waited "
        "{wait_mean_s} and rode {ride_mean_s} on average; {kept}.",
        "kept": "every promise was kept",
        "broken": "{promises_broken:,} promises broke",
        "refused": " {refused:,} were refused.",
        "tried": " {refused:,} were refused, after {refused_wait_mean_s} of trying on average.",
        "money": " The service cost {cost_per_rider} a rider, of which {subsidy_per_rider} was not paid by fares.",
        "bus": " Door to door their journeys took {naru_mean_s}; by the fixed buses, which could have carried "
        "{bus_share} of them, {bus_mean_s}.",
    },
    "ko": {
        "nobody": "이날은 이용을 요청한 사람이 없었습니다.",
        "none": "이동 요청 {attempts:,}건 가운데 운행된 것이 없습니다.",
        "carried": "이동 요청 {attempts:,}건 가운데 {delivered:,}건({service_rate})을 운행했습니다. 승객은 평균 "
        "{wait_mean_s} 기다려 {ride_mean_s} 타고 갔으며, {kept}.",
        "kept": "약속한 시각은 모두 지켰습니다",
        "broken": "약속 {promises_broken:,}건을 지키지 못했습니다",
        "refused": " {refused:,}건은 거절되었습니다.",
        "tried": " {refused:,}건은 거절되었습니다(거절되기까지 평균 {refused_wait_mean_s} 시도).",
        "money": " 승객 한 사람에 든 비용은 {cost_per_rider}, 그중 요금으로 메우지 못한 것은 "
        "{subsidy_per_rider}입니다.",
        "bus": " 문에서 문까지 평균 {naru_mean_s} 걸렸습니다. 같은 이동 가운데 {bus_share}는 노선버스로도 갈 수 "
        "있었고, 그때는 평균 {bus_mean_s} 걸립니다.",
    },
}
_TOLD: Final = (
    "service_rate", "wait_mean_s", "ride_mean_s", "extra.refused_wait_mean_s", "extra.money.cost_per_rider",
    "extra.money.subsidy_per_rider", "extra.baselines.naru_mean_s", "extra.baselines.bus_share",
    "extra.baselines.bus_mean_s",
)  # fmt: skip
_TRIED_S: Final = 30
"""who was refused sooner is not said to have tried"""


def summary(kpis: Mapping[str, Any], language: str) -> str:
    """What happened, in `en` or `ko`."""
    words = SENTENCES[language]
    if not kpis["attempts"] or not kpis["delivered"]:
        return words["none" if kpis["attempts"] else "nobody"].format_map(kpis)
    values = {**kpis, **{key.rpartition(".")[2]: said(kpis, key, language) for key in _TOLD}}
    values["kept"] = words["broken" if kpis["promises_broken"] else "kept"].format_map(kpis)
    sentences = ["carried"]
    if kpis["refused"]:
        sentences.append("tried" if (look_up(kpis, "extra.refused_wait_mean_s") or 0) >= _TRIED_S else "refused")
    if look_up(kpis, "extra.money.subsidy_per_rider") is not None:
        sentences.append("money")
    if None not in (look_up(kpis, "extra.baselines.bus_mean_s"), look_up(kpis, "extra.baselines.naru_mean_s")):
        sentences.append("bus")
    return "".join(words[sentence] for sentence in sentences).format_map(values)
