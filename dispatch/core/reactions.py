"""What the desk does about each input, in one order: for the simulator, for a live service, and for replay.

An input is what the world or a person did: a call, a cancellation, a shuttle's fact, a closed road, a timer's tick.
Here the desk is asked, and what it answers is folded in before it is asked again. Who feeds the same inputs in the
same order gets the same log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dispatch.core import events as ev
from dispatch.core import rebalance, recovery
from dispatch.core.desk import Desk
from dispatch.core.domain import Quote, RideRequest
from dispatch.core.improvement import improve, take_up
from dispatch.core.reoptimise import Solvers
from routing.travel_times import DriveTimes

Write = Callable[[ev.Event], None]
Choose = Callable[[RideRequest, Sequence[Quote]], int | None]
"""which of these quotes the rider takes; None: none of them"""


def answer(desk: Desk, request: RideRequest, now: int, choose: Choose) -> list[ev.Event]:
    """The answer to an open request, once the rider has chosen among what there is. Nothing is changed."""
    answered = desk.quote(request.id, now)
    offered = answered.quotes or answered.later
    choice = choose(request, offered) if offered else None
    if choice is not None and (booked := desk.accept(offered[choice], now)):
        return booked
    if choice is None and answered.quotes:
        return [ev.QuoteDeclined(now, request.id)]
    return desk.refuse(request.id, now, answered)


class Reactions:
    """A desk and where its events are written."""

    def __init__(self, desk: Desk, write: Write, solvers: Solvers) -> None:
        self.desk = desk
        self.events = 0
        """recorded so far"""
        self._write = write
        self._solvers = solvers
        self._parts: rebalance.Parts | None = None
        self._parts_by: DriveTimes | None = None
        """roads by which the town was cut in parts"""
        self.unassigned = 0
        """times that nobody could say where idle shuttles should go"""

    def record(self, events: Sequence[ev.Event]) -> bool:
        """Fold events in and write them; False if there were none."""
        for event in events:
            self.desk.apply(event)
            self._write(event)
        self.events += len(events)
        return bool(events)

    def settle(self, now: int) -> None:
        """After each input: endangered promises are saved, or their riders told."""
        while self.desk.late and self.record(recovery.at_risk(self.desk, now)):
            pass

    def cancel(self, request: str, now: int, reason: str = "") -> None:
        """The rider gives a booking or a place in the queue back."""
        self.record(self.desk.cancel(request, now, reason))

    def change_roads(self, change: ev.Event, now: int) -> None:
        """A road is closed or opened again, or all drives take longer or shorter."""
        self.record(recovery.roads_changed(self.desk, change, now))
        self.record(recovery.cut_off(self.desk, now))

    def break_down(self, name: str, now: int) -> None:
        """A shuttle can go no further: its riders get out, and who was to ride with it gets another one."""
        self.record(recovery.break_down(self.desk, name, now))
        self._place_lost(now)

    def tick(self, now: int, *, improves: bool = True, tries: int | None = None) -> list[str]:
        """The timer: shuttles not heard of, bookings whose shuttle was lost, better plans, the queue.

        Returns who left the queue. Without `improves` a worker looks for better plans meanwhile, and they are proposed
        (`propose`). With `tries` only so many of the queue are tried, in turn: each try costs a search, and riders wait
        meanwhile. Whose time in the queue is over is told so in any case.
        """
        desk = self.desk
        waiting = list(desk.world.queue)
        due = desk.world.unimproved or waiting
        before = desk.world.ticked
        improves_now = improves and due and desk.world.improves_at(now)
        self.record([ev.TimerTicked(now, improves, tries)])
        if self.record(recovery.overdue(desk, now)):
            self.settle(now)
        self._place_lost(now)
        if improves_now:
            self.record(improve(desk, now, self._solvers))
        for request in waiting[:tries]:
            if request in desk.world.queue:
                self.record(desk.serve(request, now))
        for request in () if tries is None else waiting[tries:]:
            if request in desk.world.queue:
                self.record(desk.give_up(request, now))
        self._rebalance(before, now)
        return [request for request in waiting if request not in desk.world.queue]

    def _rebalance(self, before: int, now: int) -> None:
        """Idle shuttles to where riders are expected, if the time has come since the tick at `before`."""
        desk, rules = self.desk, self.desk.world.policy.rebalance
        if rules is None or now // (rules.every_s * 1000) == before // (rules.every_s * 1000):
            return
        if self._parts is None or self._parts_by is not desk.times or self._parts.reach != rules.reach_s * 1000:
            self._parts, self._parts_by = rebalance.parts_of(desk.times, rules.reach_s * 1000), desk.times
        self.record(rebalance.moves(desk, self._parts, rules, now, self._ask))

    def _ask(self, drive: Sequence[Sequence[int]], wanted: Sequence[int], worth: Sequence[int]) -> list[int] | None:
        """What the solver says; whatever it does wrong costs its answer and nothing else."""
        try:
            found = self._solvers.assign(drive, wanted, worth)
        except Exception:  # noqa: BLE001 - whatever a solver throws, shuttles stay where they are
            found = None
        if found is None or not rebalance.possible(found, drive, wanted):
            self.unassigned += 1
            return None
        return found

    def propose(self, proposal: ev.PlansProposed) -> bool:
        """A worker's better plans; False: the judge refused them."""
        self.record([proposal])
        return self.record(take_up(self.desk, proposal))

    def _place_lost(self, now: int) -> None:
        for request in list(self.desk.world.unplaced):
            self.record(recovery.replace(self.desk, request, now))
