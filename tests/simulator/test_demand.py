"""Named streams, and the people that are made up from them."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from dispatch.core.places import Places
from routing.errors import InputError
from routing.network import RoadNetwork
from routing.stop_points import StopPoint
from routing.travel_times import DriveTimes, drive_times
from simulator.attempts import Attempt
from simulator.demand import generate
from simulator.demand_file import Demand
from simulator.demand_places import weights
from simulator.disturbances import Disturbances, drive_permille
from simulator.streams import Stream
from simulator.yaml_lines import from_plain

HOUR = 3_600_000


def line_town(n: int = 8) -> tuple[Places, DriveTimes]:
    """A planar street of n stop points, 1 km and 100 s apart, both ways."""
    tails = [*range(n - 1), *range(1, n)]
    heads = [*range(1, n), *range(n - 1)]
    order = np.argsort(tails, kind="stable")
    network = RoadNetwork(
        node_ids=np.array([f"n{i}" for i in range(n)]),
        lat=np.zeros(n),
        lon=1000.0 * np.arange(n),
        edge_from=np.array(tails, np.int32)[order],
        edge_to=np.array(heads, np.int32)[order],
        length_m=np.full(2 * n - 2, 1000.0),
        time_ms=np.full(2 * n - 2, 100_000, np.int32),
        road_class=np.zeros(2 * n - 2, np.uint8),
        name=np.zeros(2 * n - 2, np.int32),
        shape_start=np.zeros(2 * n - 1, np.int64),
        shape_lat=np.zeros(0),
        shape_lon=np.zeros(0),
        planar=True,
    )
    stops = tuple(StopPoint(f"n{i}", f"n{i}", 0.0, 1000.0 * i, f"n{i}") for i in range(n))
    nodes = np.arange(n, dtype=np.int64)
    return Places(network, tuple(stop.id for stop in stops), nodes, stops), drive_times(network, nodes)


PLACES, TIMES = line_town()


def people(seed: int = 1, **words: object) -> list[Attempt]:
    """Attempts of a demand written as in a scenario file."""
    return generate(msgspec.convert({"attempts": 300, **words}, Demand, dec_hook=from_plain), PLACES, TIMES, seed)


def test_streams_are_the_same_on_any_machine() -> None:
    """Seed and name fix the numbers for ever: logs of yesterday are made again from them."""
    stream = Stream(1, "demand")
    assert [stream.bits() for _ in range(3)] == STREAM_1_DEMAND
    assert Stream(1, "rider", 2).bits() != Stream(1, "rider", 3).bits()
    assert Stream(1, "a", "b").bits() != Stream(1, "ab").bits()


STREAM_1_DEMAND = [12850514486126152917, 14688392987119485108, 3729086384313249814]


def test_streams_draw_as_often_as_they_should() -> None:
    """Shares, weights, ranges and the bell come out within what 20,000 draws allow."""
    stream = Stream(7, "test")
    n = 20_000
    assert abs(sum(stream.chance(0.3) for _ in range(n)) / n - 0.3) < 0.015
    assert {stream.between(2, 4) for _ in range(100)} == {2, 3, 4}
    picks = [stream.pick([1, 1, 4]) for _ in range(n)]  # weights 1, 0, 3
    assert picks.count(1) == 0
    assert abs(picks.count(2) / n - 0.75) < 0.015
    normal = [stream.normal_milli() for _ in range(n)]
    assert abs(sum(normal) / n) < 30
    assert abs(float(np.std(normal)) - 1000) < 30
    assert sorted(stream.shuffled(range(50))) == list(range(50))


def test_the_same_seed_gives_the_same_people() -> None:
    """And another seed gives others."""
    assert people() == people()
    assert people(seed=2) != people()


def test_attempts_are_numbered_in_order_of_their_calls() -> None:
    """Ids count from 1; each calls when they want to leave, unless booked ahead."""
    made = people()
    assert [attempt.id for attempt in made] == [str(i + 1) for i in range(300)]
    assert [attempt.made_at for attempt in made] == sorted(attempt.made_at for attempt in made)
    assert all(attempt.depart_after == attempt.made_at for attempt in made)
    assert all(attempt.origin.place != attempt.destination.place for attempt in made)


def test_a_smaller_day_has_fewer_of_the_same_people() -> None:
    """Fewer attempts are a part of the more: another size of day does not shuffle everything."""

    def journeys(made: list[Attempt]) -> set[tuple[int, int, int]]:
        return {(attempt.made_at, attempt.origin.place, attempt.destination.place) for attempt in made}

    assert journeys(people(attempts=100)) <= journeys(people(attempts=300))


def test_profile_and_hours_bound_departures() -> None:
    """Hours without weight are empty; hours of demand cut the first and the last one short."""
    made = people(profile={6: 1, 8: 3}, hours=["06:30", "09:00"])
    hours = [attempt.depart_after / HOUR for attempt in made]
    assert min(hours) >= 6.5
    assert not [hour for hour in hours if 7 <= hour < 8]
    assert 0.65 < sum(hour >= 8 for hour in hours) / 300 < 0.85
    as_list = people(profile=[0, 0, 0, 1])
    assert {attempt.depart_after // HOUR for attempt in as_list} == {3}


def test_weights_fall_off_around_centres() -> None:
    """A centre of weight 1 adds 1 at its middle and exp(-1/2) a radius away."""
    origins = msgspec.convert(
        {"attempts": 1, "origins": {"base": 0.1, "centres": [{"at": [0, 2000], "radius_m": 1000}]}}, Demand
    ).origins
    assert weights(origins, PLACES)[1:4] == pytest.approx([0.1 + np.exp(-0.5), 1.1, 0.1 + np.exp(-0.5)])


def test_journeys_are_as_long_as_wanted() -> None:
    """`min_km` leaves out short ways; `likely_km` makes the mean longer."""
    assert min(abs(a.origin.place - a.destination.place) for a in people(min_km=3)) == 3
    every = np.mean([abs(a.origin.place - a.destination.place) for a in people(attempts=1000)])
    longer = np.mean([abs(a.origin.place - a.destination.place) for a in people(attempts=1000, likely_km=10)])
    assert longer > every + 0.2


def test_bursts_bring_people_to_a_station() -> None:
    """A share of those of the hour travels to the station at the minutes of the trains."""
    burst = {"at": [0, 7000], "way": "to", "hours": [7], "minutes": [20], "within_s": 60, "share": 1}
    made = people(profile={7: 1, 9: 1}, bursts=[burst])
    at_seven = [attempt for attempt in made if attempt.depart_after < 8 * HOUR]
    assert {attempt.destination.place for attempt in at_seven} == {7}
    assert all(0 <= attempt.depart_after - 7 * HOUR - 20 * 60_000 < 60_000 for attempt in at_seven)


def test_parties_wheelchairs_and_bookings_ahead() -> None:
    """Shares come out; who books ahead calls before the departure, and may name when to arrive."""
    made = people(
        party={1: 1, 3: 1}, wheelchair_share=0.5, ahead={"share": 0.5, "lead_s": [600, 900], "arrive_by_share": 1}
    )
    assert {attempt.seats for attempt in made} == {1, 3}
    assert 100 < sum(attempt.wheelchairs for attempt in made) < 200
    ahead = [attempt for attempt in made if attempt.arrive_by is not None]
    assert 100 < len(ahead) < 200
    for attempt in ahead:
        assert 600_000 <= attempt.depart_after - attempt.made_at <= 900_000 or attempt.made_at == 0
        assert attempt.arrive_by is not None
        assert attempt.arrive_by % 300_000 == 0
        assert attempt.arrive_by >= attempt.depart_after + 1_200_000


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"min_km": 50}, "requests.min_km"),
        ({"profile": {3: 0}}, "requests.profile"),
        ({"profile": {3: 1}, "hours": ["05:00", "06:00"]}, "requests.profile"),
        ({"origins": {"base": 0}}, "requests.origins"),
    ],
)
def test_demand_that_cannot_be_made_up(words: dict[str, object], field: str) -> None:
    """Journeys longer than the town, hours and places without weight: said, not searched for for ever."""
    with pytest.raises(InputError) as caught:
        people(**words)
    assert caught.value.field == field


def test_nobody_is_somebody_too() -> None:
    """No attempts need no weights."""
    assert people(attempts=0, profile={3: 0}) == []


def test_drives_are_noisy_only_where_asked() -> None:
    """No sigma, no noise; else the mean is kept, and a drive is never less than half as long."""
    assert drive_permille(Disturbances(), 1, "A", 0, 1, 0) == 1000
    noise = Disturbances(sigma=0.2)
    drawn = [drive_permille(noise, 1, "A", 0, 1, at) for at in range(3000)]
    assert abs(float(np.mean(drawn)) - 1000) < 15
    assert abs(float(np.std(drawn)) - 200) < 15
    assert min(drawn) >= 500
    assert drawn[0] == drive_permille(noise, 1, "A", 0, 1, 0)
