"""At every step: the arrays are the packed world, the world is the fold of its log, plans and answers are right.

What is right is said by `tests/checker.py`, which shares no code with the desk.
"""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import offers
from dispatch.core.desk import Desk
from dispatch.core.fold import fold
from dispatch.core.pack import pack
from tests.checker import best_insertion, breaches, moment
from tests.property.towns import Town, live, towns

watched = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@watched
@given(towns(rough=True))
def test_arrays_are_the_packed_world(town: Town) -> None:
    def look(desk: Desk, _: ev.AnyEvent) -> None:
        assert_packed(desk)

    live(town, look)


def assert_packed(desk: Desk) -> None:
    """What the kernels read is what packing the world anew would give."""
    kept, made = desk.fleet, pack(desk.world, desk.times)
    assert kept.count == made.count
    assert np.array_equal(kept.rules, made.rules)
    for row in range(made.count):
        assert np.array_equal(kept.shuttles[row], made.shuttles[row]), (row, kept.shuttles[row], made.shuttles[row])
        n = int(made.shuttles[row, f.N])
        rows = [of for of in range(f.ROUTE_ROWS) if of != f.TRIAL]
        assert np.array_equal(kept.routes[row][rows, :n], made.routes[row][rows, :n]), row
        for code in made.routes[row, f.CODE, :n].tolist():
            assert np.array_equal(kept.visits[code], made.visits[code]), code


def assert_drivable(desk: Desk) -> None:
    """Every timetable, kept or broken, is one that could be driven: nothing begins before the shuttle can be there."""
    for row in range(desk.fleet.count):
        n = int(desk.fleet.shuttles[row, f.N])
        begin, done, leg = (desk.fleet.routes[row][column, :n] for column in (f.BEGIN, f.DONE, f.LEG))
        assert (begin[1:] >= done[:-1] + leg[1:]).all(), (row, begin, done, leg)
        assert (done >= begin + desk.fleet.visits[desk.fleet.routes[row, f.CODE, :n], f.V_DWELL]).all(), row


@watched
@given(towns(rough=True))
def test_the_world_is_the_fold_of_its_log(town: Town) -> None:
    events, desk = live(town)
    lines = [ev.log_line(event, seq, 0) for seq, event in enumerate(events, 1)]
    again = fold(ev.read_log(lines))
    assert again.encoded() == desk.world.encoded()


@watched
@given(towns(rough=True))
def test_the_same_day_twice_is_the_same_log(town: Town) -> None:
    assert live(town)[0] == live(town)[0]


@watched
@given(towns())
def test_every_plan_can_be_kept(town: Town) -> None:
    def look(desk: Desk, event: ev.AnyEvent) -> None:
        if isinstance(event, ev.RideBooked | ev.PlansChanged):
            for name in [event.shuttle] if isinstance(event, ev.RideBooked) else event.plans:
                now = moment(desk.world, desk.times, name, event.at)
                assert not breaches(now, desk.times), (name, now)

    live(town, look)


@watched
@given(towns())
def test_the_answer_is_the_best_of_all_insertions(town: Town) -> None:
    live(town, Answers())


class Answers:
    """Looks at what the desk offers whenever somebody asks, and that nobody who was offered a ride is refused it.

    Who books at once is on a timetable that has them picked up and put down just when they were told.
    """

    def __init__(self) -> None:
        self.offered: str | None = None

    def __call__(self, desk: Desk, event: ev.AnyEvent) -> None:
        """After each event."""
        if isinstance(event, ev.RequestMade):
            self.offered = event.request.id if assert_best(desk, event.request.id, event.at) else None
        elif isinstance(event, ev.RideRefused | ev.RideQueued):
            assert event.request != self.offered, f"{event.request} was offered a ride, and then it was not to be had"
        elif isinstance(event, ev.RideBooked) and event.request == self.offered:
            assert_told(desk, event)
        elif isinstance(event, ev.ProgressMade):
            pass  # the shuttle turns for whoever books now
        else:
            self.offered = None


def assert_told(desk: Desk, booked: ev.RideBooked) -> None:
    """The timetable that a booking makes is the one that it was promised by; windows begin at whole seconds."""
    shuttle = desk.world.shuttles[booked.shuttle]
    visits, begins = shuttle.plan.visits, desk.fleet.routes[shuttle.row, f.BEGIN]
    code = 2 * desk.world.rides[booked.request].number
    at = {visit: int(begin) for visit, begin in zip(visits, begins[: len(visits)], strict=True)}
    assert 0 <= booked.pickup_at - at[code] < 1000, (booked, at)
    assert 0 <= booked.dropoff_at - at[code + 1] < 1000, (booked, at)


def assert_best(desk: Desk, request: str, now: int) -> bool:
    """What the desk offers costs as little as any insertion, over all stop points; False: none is possible."""
    world, policy = desk.world, desk.world.policy
    ride = world.rides[request]
    answer = desk.quote(request, now)
    if answer.receipt.binding is not None:
        return False  # nobody could ever carry it
    costs = {}
    for origin in ride.request.origins[: policy.stop_choices]:
        for destination in ride.request.destinations[: policy.stop_choices]:
            limits = offers.limits(ride.request, policy, now, origin, destination)
            cost, where = best_insertion(world, desk.times, ride, limits, origin.place, destination.place, now)
            walking = round(policy.weights.delay * 1000) * (origin.walk + destination.walk)
            costs[origin, destination] = cost + walking, where
    least = min(cost for cost, _ in costs.values())
    if not answer.quotes:
        assert least == float("inf"), (request, least, costs)
        return False
    quote = answer.quotes[0]
    cost, where = costs[quote.pickup, quote.dropoff]
    assert cost == least, (quote, costs)
    assert (quote.shuttle, *quote.after) in where, (quote, where)
    return True
