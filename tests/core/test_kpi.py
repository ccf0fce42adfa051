"""Figures against days small enough to count on paper."""

from __future__ import annotations

import pytest

from dispatch.core.domain import Shift
from dispatch.core.events import (
    DayClosed,
    DriveStarted,
    ProgressMade,
    RideBooked,
    RideCancelled,
    RideQueued,
    RiderAlighted,
    RiderBoarded,
    RideRefused,
    RiderStranded,
    ShiftClosed,
    ShiftOpened,
    ShuttleBrokeDown,
    StopArrived,
)
from dispatch.core.kpi import complete, figures
from dispatch.core.kpi_definitions import DEFINITIONS
from tests.days import KM, UNREACHED, A, B, asked, booked, opened, s, small_day

CONTRACT = [
    "attempts", "booked", "refused", "declined", "delivered", "cancelled", "no_show", "undelivered", "calls",
    "service_rate", "acceptance_rate", "wait_mean_s", "wait_p95_s", "last_call_wait_mean_s", "ride_mean_s",
    "direct_mean_s", "direct_km_mean", "ride_to_direct_mean", "ride_to_direct_p95", "pickup_in_window_rate",
    "window_mean_s", "promises_broken", "shuttle_hours", "vehicle_km", "empty_share", "km_per_rider",
    "riders_per_shuttle_hour", "pooling_rate", "occupancy_km", "party_mean", "booked_ahead_share", "violations",
    "violations_by_invariant", "decision_ms", "requests_per_s", "wall_s", "peak_rss_mb", "seed", "scenario",
    "version", "extra",
]  # fmt: skip


def test_object_has_every_key_of_the_contract_and_a_definition_for_each() -> None:
    """The KPI object holds the agreed keys, in their order, and none without words for it."""
    kpis = complete(figures(small_day()))
    assert list(kpis) == CONTRACT
    assert set(DEFINITIONS) == {*CONTRACT, *(f"extra.{key}" for key in kpis["extra"])}


def test_attempts_end_in_one_way_each() -> None:
    """A retry is a call of the same attempt; a place in the queue that came to nothing is a refusal."""
    kpis = figures(small_day())
    assert {key: kpis[key] for key in CONTRACT[:9]} == {
        "attempts": 8, "booked": 5, "refused": 2, "declined": 1, "delivered": 2, "cancelled": 1, "no_show": 1,
        "undelivered": 1, "calls": 9,
    }  # fmt: skip
    assert kpis["service_rate"] == 2 / 8
    assert kpis["acceptance_rate"] == 5 / 8
    assert kpis["extra"]["delivered_per_call"] == pytest.approx(2 / 9, abs=1e-6)
    assert kpis["extra"]["refused_by"] == {"pickup_late": 2}


def test_waits_count_from_the_first_request() -> None:
    """r1 waited 100 s; r2 asked at 150, retried at 180 and boarded at 310: 160 s, by the pilot's figure 130 s."""
    kpis = figures(small_day())
    assert kpis["wait_mean_s"] == 130
    assert kpis["wait_p95_s"] == 157
    assert kpis["last_call_wait_mean_s"] == 115
    assert kpis["extra"]["wait_max_s"] == 160


def test_rides_against_direct_drives() -> None:
    """320 s for 300 s and 215 s for 200 s: each rider's own ratio, not the ratio of the means."""
    kpis = figures(small_day())
    assert kpis["ride_mean_s"] == 267.5
    assert kpis["direct_mean_s"] == 250
    assert kpis["direct_km_mean"] == 2.5
    assert kpis["ride_to_direct_mean"] == pytest.approx((320 / 300 + 215 / 200) / 2, abs=1e-6)
    assert kpis["ride_to_direct_p95"] == pytest.approx(320 / 300 + 0.95 * (215 / 200 - 320 / 300), abs=1e-6)


def test_shuttles_work() -> None:
    """8 km, 5 of them empty, 1 with two persons and 2 with three; three persons carried in one shuttle hour."""
    kpis = figures(small_day())
    assert kpis["vehicle_km"] == 8
    assert kpis["empty_share"] == 5 / 8
    assert kpis["occupancy_km"] == (2 * 1 + 3 * 2) / 8
    assert kpis["km_per_rider"] == pytest.approx(8 / 3, abs=1e-6)
    assert kpis["shuttle_hours"] == 1
    assert kpis["riders_per_shuttle_hour"] == 3
    assert kpis["pooling_rate"] == 1
    assert kpis["party_mean"] == 1.5
    assert kpis["booked_ahead_share"] == 1 / 5
    assert kpis["extra"]["drive_hours"] == pytest.approx((100 + 100 + 200 + 400) / 3600, abs=1e-6)


def test_promises() -> None:
    """Both riders boarded within their window; r8 was promised a pickup by 1200 s that never came."""
    kpis = figures(small_day())
    assert kpis["pickup_in_window_rate"] == 1
    assert kpis["window_mean_s"] == (600 + 600 + 600 + 100 + 600) / 5
    assert kpis["promises_broken"] == 1
    assert kpis["extra"]["broken_by"] == {"late_dropoff": 1, "late_pickup": 1}


def test_extra_figures() -> None:
    """Fares, walks, the queue and what was told are counted over those they concern."""
    extra = figures(small_day())["extra"]
    assert extra["fares_total"] == 3600 + 1800
    assert extra["walk_mean_s"] == 30
    assert extra["queued"] == 1
    assert extra["queued_booked_share"] == 0
    assert extra["queue_wait_mean_s"] is None
    assert extra["alternatives_taken_share"] == 1 / 5
    assert extra["pickup_told_error_mean_s"] == 5
    assert extra["by_hour"] == [
        {"hour": 0, "attempts": 8, "booked": 5, "delivered": 2, "refused": 2, "declined": 1, "queued": 1,
         "wait_mean_s": 130}
    ]  # fmt: skip


def test_service_by_distance() -> None:
    """Five parts of equal size, the shortest direct drives first; fewer attempts than parts leave parts out."""
    events = opened()
    for n in range(10):
        events.append(asked(0, f"r{n}", direct=s(100 * (10 - n))))
        if n < 6:
            events += [booked(0, f"r{n}", (0, 600), 900, pickup_at=60), RiderBoarded(s(60), "s1", f"r{n}"),
                       RiderAlighted(s(160), "s1", f"r{n}")]  # fmt: skip
    rows = figures(events)["extra"]["by_distance"]
    assert [(row["direct_from_s"], row["direct_to_s"]) for row in rows] == [
        (100, 200), (300, 400), (500, 600), (700, 800), (900, 1000)
    ]  # fmt: skip
    assert [row["service_rate"] for row in rows] == [0, 0, 1, 1, 1]
    assert figures(opened())["extra"]["by_distance"] == []


def test_mean_over_nothing_is_null() -> None:
    """A day without requests has counts of 0 and no means; so has no log at all."""
    for events in ([*opened(), DayClosed(s(3600))], []):
        kpis = figures(events)
        assert kpis["attempts"] == 0
        assert kpis["vehicle_km"] == 0
        for key in ("service_rate", "wait_mean_s", "wait_p95_s", "ride_to_direct_p95", "empty_share", "km_per_rider"):
            assert kpis[key] is None


def _ride(board: float, alight: float, max_ride: int | None = None) -> list[object]:
    return [
        *opened(),
        asked(0, "r"),
        booked(0, "r", (100.4, 200.4), 500.4, pickup_at=150, max_ride=max_ride),
        RiderBoarded(s(board), "s1", "r"),
        RiderAlighted(s(alight), "s1", "r"),
        DayClosed(s(3600)),
    ]


@pytest.mark.parametrize(
    ("board", "alight", "max_ride", "broken"),
    [
        (100, 400, None, {}),
        (99.999, 400, None, {"early": 1}),
        (201, 501, None, {}),
        (201.001, 400, None, {"late_pickup": 1}),
        (150, 501.001, None, {"late_dropoff": 1}),
        (150, 450, s(300), {}),
        (150, 450.001, s(300), {"ride_time": 1}),
    ],
)
def test_promises_hold_to_the_second_told(
    board: float, alight: float, max_ride: int | None, broken: dict[str, int]
) -> None:
    """Windows are told in whole seconds, rounded outward; a millisecond beyond that is a broken promise."""
    kpis = figures(_ride(board, alight, max_ride))  # type: ignore[arg-type]
    assert kpis["promises_broken"] == len(broken)
    assert kpis["extra"]["broken_by"] == broken
    assert kpis["pickup_in_window_rate"] == (0 if {"early", "late_pickup"} & set(broken) else 1)


def test_a_queued_rider_who_is_booked_keeps_the_first_departure() -> None:
    """Queueing is no refusal once a place frees up, and the wait includes it."""
    kpis = figures([
        *opened(),
        asked(100, "r"),
        RideQueued(s(100), "r", s(1900), UNREACHED),
        booked(400, "r", (400, 1000), 2000, pickup_at=500),
        RiderBoarded(s(500), "s1", "r"),
        RiderAlighted(s(800), "s1", "r"),
    ])  # fmt: skip
    assert (kpis["delivered"], kpis["refused"]) == (1, 0)
    assert kpis["wait_mean_s"] == 400
    assert kpis["extra"]["queue_wait_mean_s"] == 300
    assert kpis["extra"]["queued_booked_share"] == 1


def test_the_last_answer_of_an_attempt_counts() -> None:
    """A booking given back and asked for again in vain is a refusal; one that stands is not undone by a refusal."""
    day = [*opened(), asked(0, "a"), booked(0, "a", (0, 600), 900, pickup_at=300)]
    again = [asked(60, "b", attempt="a", first_depart=0), RideRefused(s(60), "b", UNREACHED)]
    given_back = figures([*day, RideCancelled(s(50), "a"), *again])
    assert (given_back["attempts"], given_back["cancelled"], given_back["refused"]) == (1, 0, 1)
    stands = figures([*day, *again])
    assert (stands["attempts"], stands["undelivered"], stands["refused"]) == (1, 1, 0)


def test_late_cancellation_is_judged_by_the_pickup_told() -> None:
    """Told a pickup at 600 s: giving back at 299 s is in time, at 301 s late."""
    for at, late in ((299, 0), (301, 1)):
        kpis = figures(
            [*opened(), asked(0, "r"), booked(0, "r", (0, 900), 1500, pickup_at=600), RideCancelled(s(at), "r")]
        )
        assert (kpis["cancelled"], kpis["extra"]["cancelled_late"]) == (1, late)


def test_breakdown_with_a_rider_aboard() -> None:
    """Km until the breakdown carry the rider; the ride, continued by another one, counts from its first boarding."""
    second = Shift("s2", "v2", 11, 0, s(3600), 8)
    kpis = figures([
        *opened(), ShiftOpened(0, second), asked(0, "r"), booked(0, "r", (0, 600), 3000, pickup_at=0),
        RiderBoarded(0, "s1", "r"),
        DriveStarted(0, "s1", 10, B, "r"), ProgressMade(s(50), "s1", 5, s(60), KM),
        ShuttleBrokeDown(s(100), "s1", 6, KM), RiderStranded(s(100), "s1", "r", A), ShiftClosed(s(100), "s1"),
        DriveStarted(s(100), "s2", 11, A, "r"), StopArrived(s(400), "s2", A, 3 * KM),
        RiderBoarded(s(400), "s2", "r"), DriveStarted(s(400), "s2", 10, B, "r"),
        StopArrived(s(700), "s2", B, 3 * KM), RiderAlighted(s(700), "s2", "r"), DayClosed(s(3600)),
    ])  # fmt: skip
    assert kpis["delivered"] == 1
    assert kpis["wait_mean_s"] == 0
    assert kpis["ride_mean_s"] == 700
    assert kpis["vehicle_km"] == 8
    assert kpis["empty_share"] == 3 / 8
    assert kpis["shuttle_hours"] == pytest.approx(1 + 100 / 3600, abs=1e-6)
    assert (kpis["extra"]["breakdowns"], kpis["extra"]["stranded"]) == (1, 1)


def test_meeting_at_a_stop_point_is_not_sharing() -> None:
    """A rider who alights before another boards has not shared the shuttle."""
    day: list[object] = [*opened()]
    for n, start in enumerate((0, 300)):
        day += [
            asked(start, f"r{n}"),
            booked(start, f"r{n}", (start, start + 600), start + 900, pickup_at=start),
            RiderBoarded(s(start), "s1", f"r{n}"),
            RiderAlighted(s(start + 300), "s1", f"r{n}"),
        ]
    assert figures(day)["pooling_rate"] == 0  # type: ignore[arg-type]


def test_shift_that_never_ends_is_worked_until_the_log_does() -> None:
    """An unbounded shift has as many hours as the day had."""
    unbounded = Shift("s2", "v2", 11, 0, 2**40, 8)
    assert figures([*opened(), ShiftOpened(0, unbounded), DayClosed(s(7200))])["shuttle_hours"] == 3


def test_shift_counts_to_its_end_though_the_last_rider_left_before() -> None:
    """A day closed at 1000 s had its hour of shift; a log cut off there, or a shift closed there, 1000 s."""
    assert figures([*opened(), DayClosed(s(1000))])["shuttle_hours"] == 1
    for cut in (asked(1000, "r"), ShiftClosed(s(1000), "s1")):
        assert figures([*opened(), cut])["shuttle_hours"] == pytest.approx(1000 / 3600, abs=1e-6)


def test_complete_adds_what_only_the_run_knows() -> None:
    """Violations are summed; a log that nobody judged says null, not 0."""
    kpis = complete(
        figures(small_day()),
        violations_by_invariant={"3 load": 2, "1 plan": 1},
        decision_ms=[3, 1, 2],
        log_s=4,
        wall_s=5,
    )
    assert kpis["violations"] == 3
    assert list(kpis["violations_by_invariant"]) == ["1 plan", "3 load"]
    assert kpis["decision_ms"] == {"p50": 2, "p99": 2.98, "max": 3}
    assert kpis["requests_per_s"] == 2
    assert (kpis["seed"], kpis["scenario"], kpis["version"]) == (7, "by hand", "0")
    unjudged = complete(figures(small_day()))
    assert unjudged["violations"] is None
    assert unjudged["decision_ms"] == {"p50": None, "p99": None, "max": None}
    assert unjudged["requests_per_s"] is None


def test_booking_events_are_the_promise_in_force() -> None:
    """A promise replaced with the rider's consent is the one that counts."""
    day = _ride(150, 450)
    first = next(event for event in day if isinstance(event, RideBooked))
    tighter = booked(10, "r", (100, 140), 500, pickup_at=140)
    kpis = figures([*day[: day.index(first) + 1], tighter, *day[day.index(first) + 1 :]])  # type: ignore[list-item]
    assert kpis["booked"] == 1
    assert kpis["window_mean_s"] == 40
    assert kpis["extra"]["broken_by"] == {"late_pickup": 1}
