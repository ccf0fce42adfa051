"""What riders do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dispatch.core.domain import Access, Promise, Quote, RideRequest
from simulator.riders import Range, Retries, Riders, answer, cancel_at, retry, shows_up_at

NOW = 36_000_000
PROMISE = Promise(pickup_from=NOW + 300_000, pickup_to=NOW + 900_000, dropoff_by=NOW + 2_000_000)


def call(name: str = "1", **changes: Any) -> RideRequest:
    """An immediate request."""
    request = RideRequest(name, (Access(0),), (Access(1),), direct=600_000, direct_mm=5_000_000, depart_after=NOW)
    return msgspec.structs.replace(request, **changes)


def quote(wait_s: int = 300, walk_s: int = 0, ride_s: int = 600) -> Quote:
    """A ride offered with this wait, walk to its stop point and time aboard."""
    pickup_at = NOW + wait_s * 1000
    return Quote(
        request="1", kind="soonest", shuttle="A", after=(0, 0), pickup=Access(0, walk_s * 1000), dropoff=Access(1),
        pickup_at=pickup_at, dropoff_at=pickup_at + ride_s * 1000, promise=PROMISE, fare=0, seq=1,
        expires_at=NOW + 60_000,
    )  # fmt: skip


def share(count: int, of: int = 1000) -> float:
    """A count as a share."""
    return count / of


def test_the_first_quote_is_taken_by_default() -> None:
    """Whatever it is; without a quote there is nothing to take."""
    assert answer(Riders(), 1, call(), [quote(wait_s=7200, walk_s=3000), quote()]) == 0
    assert answer(Riders(), 1, call(), []) is None


@pytest.mark.parametrize(
    ("riders", "taken"),
    [
        (Riders(max_extra_wait_s=600), 1),
        (Riders(max_walk_s=60), 2),
        (Riders(max_extra_wait_s=600, max_walk_s=60), None),
        (Riders(prefers="earliest"), 1),
        (Riders(prefers="least_walk"), 2),
    ],
)
def test_riders_choose(riders: Riders, taken: int | None) -> None:
    """Quotes that take too long to come or to walk to are passed over; of the others, the one preferred."""
    assert answer(riders, 1, call(), [quote(900, 240), quote(300, 120), quote(1200)]) == taken


def test_habits_come_in_their_shares() -> None:
    """Of a thousand riders, as many decline, cancel, stay away or are late as the file says."""
    riders = Riders(decline_share=0.2, cancel_share=0.1, no_show_share=0.05, late_share=0.3, late_s=Range(60, 120))
    calls = [call(str(i)) for i in range(1000)]
    came = [shows_up_at(riders, 1, request, PROMISE) for request in calls]
    late = [at - PROMISE.pickup_from for at in came if at is not None and at > PROMISE.pickup_from]
    cancelled = [at for request in calls if (at := cancel_at(riders, 1, request, PROMISE, NOW)) is not None]

    assert abs(share(sum(answer(riders, 1, request, [quote()]) is None for request in calls)) - 0.2) < 0.05
    assert abs(share(came.count(None)) - 0.05) < 0.03
    assert abs(share(len(late)) - 0.3 * 0.95) < 0.05
    assert min(late) >= 60_000
    assert max(late) <= 120_000
    assert abs(share(len(cancelled)) - 0.1) < 0.04
    assert all(NOW <= at <= PROMISE.pickup_from and at % 1000 == 0 for at in cancelled)


def test_a_rider_decides_alike_whatever_else_is_asked() -> None:
    """A rider's luck hangs on the seed and the attempt alone, so two policies meet the same people."""
    riders = Riders(no_show_share=0.5, late_share=0.5)
    alone = shows_up_at(riders, 3, call("17"), PROMISE)
    for i in range(20):
        shows_up_at(riders, 3, call(str(i)), PROMISE)
    assert shows_up_at(riders, 3, call("17"), PROMISE) == alone
    assert shows_up_at(riders, 3, call("17~2", attempt="17"), PROMISE) == alone
    assert shows_up_at(Riders(no_show_share=0.5, late_share=0.5, cancel_share=0.9), 3, call("17"), PROMISE) == alone


def test_who_is_refused_calls_again() -> None:
    """The same journey from the new moment on: same attempt, limits moved along, the first departure remembered."""
    riders = Riders(retries=Retries(calls=5, gap_s=Range(300, 300), give_up_s=1800))
    first = call(latest_pickup=NOW + 1_200_000, latest_dropoff=NOW + 2_100_000, max_ride=900_000, arrive_by=NOW * 2)
    second = retry(riders, 1, first, NOW, 1)
    assert second is not None
    assert (second.id, second.attempt, second.first_depart) == ("1~2", "1", NOW)
    assert second.depart_after == NOW + 300_000
    assert (second.latest_pickup, second.latest_dropoff) == (NOW + 1_500_000, NOW + 2_400_000)
    assert (second.max_ride, second.arrive_by) == (900_000, NOW * 2)
    third = retry(riders, 1, second, second.depart_after, 2)
    assert third is not None
    assert (third.id, third.attempt, third.first_depart, third.depart_after) == ("1~3", "1", NOW, NOW + 600_000)


@pytest.mark.parametrize(
    ("riders", "request_", "calls"),
    [
        (Riders(), call(), 1),
        (Riders(retries=Retries(calls=1)), call(), 1),
        (Riders(retries=Retries(calls=5)), call(), 5),
        (Riders(retries=Retries(give_up_s=200)), call(), 1),
        (Riders(retries=Retries(share=0)), call(), 1),
        (Riders(retries=Retries()), call(depart_after=NOW + 3_600_000), 1),
    ],
)
def test_who_gives_up(riders: Riders, request_: RideRequest, calls: int) -> None:
    """Without the habit, after so many calls, after so long, by choice, or having booked ahead."""
    assert retry(riders, 1, request_, NOW, calls) is None


def test_five_calls_in_thirty_minutes() -> None:
    """The pilot's rider (kyeonggi.com 2226874): five calls at most, all within half an hour."""
    riders = Riders(retries=Retries(calls=5, gap_s=Range(300, 480), give_up_s=1800))
    for i in range(50):
        request, made = call(str(i)), 1
        while (again := retry(riders, 1, request, request.depart_after, made)) is not None:
            request, made = again, made + 1
        assert 4 <= made <= 5
        assert request.depart_after <= NOW + 1_800_000
