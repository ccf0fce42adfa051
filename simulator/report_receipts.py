"""Single journeys of a day, told from their receipts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from dispatch.core.kpi_definitions import ANSWER_MS
from simulator.lab_page import section
from simulator.report_charts import clock
from simulator.report_figures import told

if TYPE_CHECKING:
    from dispatch.core.domain import Receipt
    from simulator.report_day import Call, Day


def receipts(day: Day) -> str:
    examples = [*_refused_examples(day), *_carried_examples(day)]
    if not examples:
        return ""
    told_ones = "".join(f"<li><h3>{title}</h3><p>{words}</p></li>" for title, words in examples)
    return section(
        "Single journeys, told",
        "<p>Every answer has a receipt. These were picked by rule, not by hand: for each of the commonest reasons the "
        "refusal in the middle of the day's list, the median wait, the longest one.</p>"
        f'<ol class="told">{told_ones}</ol>',
    )


CAUSES: Final = {
    "off_shift": ("it was off shift", ""),
    "out_of_reach": ("driving there straight, it would have come too late", "by"),
    "full": ("it had no free place", ""),
    "pickup_late": ("with the riders it had already, it would have come too late", "by"),
    "dropoff_late": ("it would have arrived after the latest time", "by"),
    "others_promises": ("it would have broken another rider's promise", "by"),
}
"""What kept one shuttle from carrying a rider, and the word before by how much."""


def reason(binding: str) -> str:
    """A binding constraint in plain words."""
    from dispatch.core.receipt import SENTENCES

    return SENTENCES.get(binding) or binding.replace("_", " ").capitalize()


def _in_words(receipt: Receipt) -> str:
    from dispatch.core.receipt import in_words

    return in_words(receipt)


def _refused_examples(day: Day, most: int = 4) -> list[tuple[str, str]]:
    by: dict[str, list[Call]] = {}
    for call in day.refused:
        by.setdefault(_receipt(call).binding or "unknown", []).append(call)
    commonest = sorted(by.items(), key=lambda item: (-len(item[1]), item[0]))[:most]
    return [("Refused", _tell_refused(day, calls[len(calls) // 2])) for _, calls in commonest]


def _carried_examples(day: Day) -> list[tuple[str, str]]:
    carried = sorted(day.delivered, key=lambda call: (call.wait or 0, call.asked, call.request.id))
    if not carried:
        return []
    examples = [("Carried, the median wait", carried[len(carried) // 2]), ("Carried, the longest wait", carried[-1])]
    from_queue = [call for call in carried if call.queued and call.queued.until - call.queued.at > ANSWER_MS]
    if from_queue:
        examples.append(("Carried from the queue", from_queue[len(from_queue) // 2]))
    return [(title, _tell_carried(day, call)) for title, call in examples]


def _receipt(call: Call) -> Receipt:
    answer = call.queued or call.refused  # why it was queued tells more than that the time in the queue is over
    assert answer is not None
    return answer.receipt


def _asked(day: Day, call: Call) -> str:
    request, places = call.request, day.opened.places
    where = ""
    if request.origins and request.destinations:
        origin, destination = places[request.origins[0].place], places[request.destinations[0].place]
        where = f" from {escape(origin)} to {escape(destination)}"
    party = f" for {request.seats} persons" if request.seats > 1 else ""
    leave = f", to leave at {clock(request.depart_after)}" if request.depart_after > call.asked else ""
    return (
        f"At {clock(call.asked)} request <b>{escape(request.id)}</b>, a ride{where}{party}{leave}: "
        f"{request.direct_mm / 1e6:.1f} km, {request.direct / 60_000:.0f} min by direct drive."
    )


def _tell_refused(day: Day, call: Call) -> str:
    receipt = _receipt(call)
    words = [_asked(day, call), escape(_in_words(receipt)) or escape(reason(receipt.binding or "unknown"))]
    if receipt.causes:
        nearest = receipt.causes[0]
        what, by = CAUSES.get(nearest.constraint, (nearest.constraint.replace("_", " "), "by"))
        short = f" {by} {told('short_s', nearest.short_ms / 1000)}" if by and nearest.short_ms else ""
        words.append(f"Nearest to carrying was shuttle {escape(nearest.shuttle)}: {escape(what)}{short}.")
    if receipt.nearest_pickup_at is not None and receipt.relax is None:
        words.append(f"The earliest pickup that would have worked: {clock(receipt.nearest_pickup_at)}.")
    if call.queued and call.queued.until - call.queued.at > ANSWER_MS:
        words.append(f"The rider was queued until {clock(call.queued.until)}, in vain.")
    if call.refused and call.refused.alternatives:
        offered = "; ".join(f"{clock(pickup)}, arriving {clock(by)}" for pickup, by in call.refused.alternatives)
        words.append(f"Offered instead: pickup {offered}.")
    return " ".join(words)


def _tell_carried(day: Day, call: Call) -> str:
    booking = call.booked
    assert booking is not None
    assert call.boarded is not None
    assert call.alighted is not None
    assert call.wait is not None
    promise, ride = booking.promise, call.alighted - call.boarded
    queued = f" No shuttle could be had at once; booked from the queue at {clock(booking.at)}." if call.queued else ""
    if booking.kind in ("least_walk", "later"):
        queued += " The rider took a later ride than asked for." if booking.kind == "later" else " The shortest walk."
    return (
        f"{_asked(day, call)}{queued} Promised: pickup between {clock(promise.pickup_from)} and "
        f"{clock(promise.pickup_to)}, arrival by {clock(promise.dropoff_by)}. Boarded at {clock(call.boarded)} after "
        f"{call.wait / 60_000:.1f} min, alighted at {clock(call.alighted)}: {ride / 60_000:.1f} min aboard."
    )
