"""What each figure of the KPI object means, in words: the one place, which reports show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ANSWER_MS: Final = 30_000
"""Every call is answered within this; who waits longer is in the queue."""
LATE_CANCEL_MS: Final = 300_000
"""A cancellation is late when the pickup last told is less than this away."""

DEFINITIONS: Final[Mapping[str, str]] = {
    "attempts": "journeys asked for, retries not counted again: booked + refused + declined",
    "booked": "attempts that ended with a booking: delivered + cancelled + no_show + undelivered",
    "refused": "attempts that ended without a ride being offered; waiting in the queue in vain is one",
    "declined": "attempts whose rider was offered a ride and did not take it",
    "delivered": "booked attempts whose rider alighted at the destination",
    "cancelled": "booked attempts that the rider gave back",
    "no_show": "booked attempts whose rider was not at the stop point within the grace",
    "undelivered": "booked attempts that came to none of these ends",
    "calls": "each single try, retries included",
    "service_rate": "delivered ÷ attempts",
    "acceptance_rate": "booked ÷ attempts",
    "wait_mean_s": "boarding − the departure asked for in the attempt's first request: queue, retries and "
    "alternatives never reset it",
    "wait_p95_s": "19 of 20 riders waited at most this long, counted as in wait_mean_s",
    "last_call_wait_mean_s": "boarding − the departure asked for in the call that was booked: the pilot's figure",
    "ride_mean_s": "alighting − boarding; a wait for another shuttle after a breakdown is in it",
    "direct_mean_s": "unshared drive between the two stop points",
    "direct_km_mean": "length of the unshared drive between the two stop points, km",
    "ride_to_direct_mean": "mean of ride ÷ direct drive, each rider's own",
    "ride_to_direct_p95": "19 of 20 riders rode at most this many times their direct drive",
    "pickup_in_window_rate": "share of delivered bookings that boarded within the window promised, neither before it "
    "nor after; promises are told in whole seconds, rounded outward",
    "window_mean_s": "mean length of the pickup windows promised, over booked attempts",
    "promises_broken": "bookings with a pickup before or after the window promised, a drop-off after the latest one "
    "promised, or a longer ride than promised; a promise that ran out without the rider being served counts",
    "shuttle_hours": "sum of the shifts, each until it ended, or longer where the shuttle still worked",
    "vehicle_km": "all km of all shifts",
    "empty_share": "km with nobody aboard ÷ all km",
    "km_per_rider": "all km of all shifts ÷ persons delivered",
    "riders_per_shuttle_hour": "persons delivered ÷ shuttle_hours",
    "pooling_rate": "share of delivered bookings that ever shared the shuttle with another booking",
    "occupancy_km": "persons aboard, averaged over all km, empty ones included",
    "party_mean": "persons a delivered booking",
    "booked_ahead_share": "share of booked attempts whose departure was asked for later than the moment of the call",
    "violations": "broken invariants found in the log",
    "violations_by_invariant": "the same, by invariant",
    "decision_ms": "milliseconds that computing the answer to a request took: median, 99th percentile, longest",
    "requests_per_s": "attempts ÷ seconds from the first event to the log closed",
    "wall_s": "seconds the whole run took",
    "peak_rss_mb": "largest memory held, MB",
    "seed": "the seed of the random streams",
    "scenario": "the scenario's name",
    "version": "the version of Naru that wrote the log",
    "extra": "further figures",
    "extra.persons_delivered": "persons in delivered bookings",
    "extra.delivered_per_call": "delivered ÷ calls: what the pilot published as riders carried of those who called",
    "extra.wait_p50_s": "half of the riders waited at most this long",
    "extra.wait_max_s": "the longest wait",
    "extra.journey_mean_s": "alighting − the departure asked for in the attempt's first request",
    "extra.refused_wait_mean_s": "of refused attempts, from the departure first asked for to the last refusal: how "
    "long people hoped, by calling again or in the queue; 0 for who was refused at once",
    "extra.refused_wait_p95_s": "19 of 20 refused riders hoped at most this long",
    "extra.walk_mean_s": "walks to the pickup and from the drop-off together",
    "extra.queued": "attempts that were put in the queue; an answer within half a minute is none",
    "extra.queued_booked_share": "share of those that were booked in the end",
    "extra.queue_wait_mean_s": "booking − queueing, over queued attempts that were booked",
    "extra.alternatives_taken_share": "share of booked attempts that took another ride than the soonest one",
    "extra.pickup_told_error_mean_s": "boarding − the pickup time told at booking, its size without its sign",
    "extra.pickup_told_error_p95_s": "19 of 20 riders boarded within this much of the time told at booking",
    "extra.cancelled_late": f"cancellations less than {LATE_CANCEL_MS // 60_000} minutes before the pickup last told",
    "extra.cancelled_queued": "riders who gave their place in the queue back (their attempts are refused ones)",
    "extra.unanswered": "attempts that the log has no answer to; they count as refused",
    "extra.fares_total": "fares of delivered bookings, in the scenario's currency",
    "extra.drive_hours": "hours that shuttles spent driving",
    "extra.idle_share": "share of the shuttle hours not spent driving: standing, waiting, boarding",
    "extra.promises_at_risk": "bookings whose rider was told that a fact of the world endangered the promise",
    "extra.broken_by": "broken promises by what broke: early, late_pickup, late_dropoff, ride_time; a booking may "
    "have several",
    "extra.later_days": "bookings for days to come: counted on those days, not among the attempts",
    "extra.breakdowns": "shuttles that broke down",
    "extra.stranded": "riders who had to leave a broken shuttle and wait for another one",
    "extra.refused_by": "refused attempts by the constraint that bound the shuttle nearest to carrying the rider, for "
    "queued ones when they were queued",
    "extra.by_distance": "attempts in five parts of equal size by the direct drive asked for, the shortest first: what "
    "became of them",
    "extra.by_hour": "attempts by the hour of the departure first asked for: what became of them, and the mean wait",
}
"""What each key of the KPI object means; keys under `extra` are written with a dot."""
