"""Shuttles on the road: where they set out, turn, pass and arrive, and how fast the roads allow it."""

from __future__ import annotations

import numpy as np

from dispatch.core import events as e
from dispatch.core.invariants.day import ABOARD, FIXED, FLOOR, OPEN, Day, Ride, Shuttle
from dispatch.core.invariants.rules import clock
from dispatch.core.invariants.shifts import on_duty


def drive_started(day: Day, event: e.DriveStarted) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    at = event.at
    shift = shuttle.shift
    if shuttle.closed or not shift.start <= at <= shift.end:
        on_duty(day, shuttle, "starts to drive")
    if shuttle.goal >= 0:
        day.found("road", f"{shuttle.id} starts a drive while it is driving", shuttle)
    elif event.node != shuttle.node:
        what = f"{shuttle.id} leaves node {event.node}, but is at node {shuttle.node}"
        day.found("road", what, shuttle)
    if at < shuttle.free_at:
        why = "is at the node" if shuttle.place < 0 else "is ready"
        what = f"{shuttle.id} leaves at {clock(at)}, but {why} at {clock(shuttle.free_at)}"
        day.found("road" if shuttle.place < 0 else "dwell", what, shuttle)
    purpose = event.purpose
    if purpose not in ("rebalance", "depot", "break", "timetable"):
        ride = day.by_id.get(purpose)
        if ride is None:
            day.found("plan", f"{shuttle.id} drives for {purpose}, which was not asked for", shuttle)
        elif not shuttle.plan or shuttle.plan[0] >> 1 != ride.number:
            day.found("plan", f"{shuttle.id} drives for {purpose}, which is not next in its plan", shuttle, ride)
        elif day.place_of(shuttle.plan[0]) != event.place:
            day.found("plan", f"{shuttle.id} drives to another place than {purpose} goes to", shuttle, ride)
    elif purpose == "rebalance" and any(day.rides[visit >> 1].call is None for visit in shuttle.plan):
        day.found("plan", f"{shuttle.id} drives to {purpose} with riders in its plan", shuttle)
    if not 0 <= event.place < len(day.node_of):
        day.found("log", f"{shuttle.id} drives to place {event.place}, which does not exist", shuttle)
        return
    if shuttle.turned_from >= 0:
        _judge_turn(day, shuttle, day.rides[shuttle.turned_from], event.place)
        shuttle.turned_from = -1
    shuttle.goal = event.place
    shuttle.node = shuttle.drive_node = event.node
    shuttle.drive_at = at
    shuttle.drive_factor = day.scale()
    shuttle.drive_table = day.table
    if len(day.slices) > 1:
        shuttle.drive_slice = day.slice_at(at)
    shuttle.place = shuttle.served = -1


def progress_made(day: Day, event: e.ProgressMade) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if event.reached_at < event.at:
        what = f"{shuttle.id} is to turn at {clock(event.reached_at)}, which is past"
        day.found("road", what, shuttle)
    _judge_progress(day, shuttle, event.node, event.reached_at)
    if not day.divert and shuttle.plan and day.place_of(shuttle.plan[0]) == shuttle.goal:
        shuttle.turned_from = shuttle.plan[0] >> 1
    shuttle.node = event.node
    shuttle.free_at = event.reached_at
    shuttle.goal = -1


def position_reported(day: Day, event: e.PositionReported) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    _judge_progress(day, shuttle, event.node, event.reached_at)
    shuttle.drive_node = event.node
    shuttle.drive_at = event.reached_at
    shuttle.drive_slice = day.slice_at(event.reached_at)


def shuttle_overdue(day: Day, event: e.ShuttleOverdue) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if not shuttle.plan:
        day.found("legal", f"{shuttle.id} is said to be overdue, but has nothing to do", shuttle)
    elif event.counted_from > event.at:
        day.found("road", f"{shuttle.id} is counted from {clock(event.counted_from)}, which is to come", shuttle)
    elif shuttle.goal >= 0 and shuttle.drive_table is not None:
        there = shuttle.drive_at + _least_drive(shuttle, shuttle.drive_node, shuttle.goal)
        if event.at < there:
            what = f"{shuttle.id} is said to be overdue, but cannot be where it drives to before {clock(there)}"
            day.found("road", what, shuttle)
    elif event.at < shuttle.free_at:
        day.found(
            "dwell", f"{shuttle.id} is said to be overdue, but is not ready until {clock(shuttle.free_at)}", shuttle
        )
    shuttle.late = True


def stop_arrived(day: Day, event: e.StopArrived) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    at, place, goal = event.at, event.place, shuttle.goal
    if goal < 0:
        day.found("legal", f"{shuttle.id} arrives, but was not driving", shuttle)
    elif place != goal:
        day.found("road", f"{shuttle.id} arrives at place {place}, but was driving to place {goal}", shuttle)
    elif shuttle.drive_table is not None:
        least = _least_drive(shuttle, shuttle.drive_node, place)
        took = at - shuttle.drive_at
        if took < least:
            what = f"{shuttle.id} drove {took / 1000:g} s from node {shuttle.drive_node} to place {place}"
            day.found("road", f"{what}; the road takes {least / 1000:g} s", shuttle)
        elif took > least:
            shuttle.late = True
    if not 0 <= place < len(day.node_of):
        day.found("log", f"{shuttle.id} arrives at place {place}, which does not exist", shuttle)
        return
    shuttle.goal = -1
    shuttle.place = place
    shuttle.node = day.node_of[place]
    shuttle.free_at = at


def idle_sent(day: Day, event: e.IdleSent) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if shuttle.closed:
        day.found("legal", f"{shuttle.id} is {shuttle.closed}, but is sent elsewhere", shuttle)
    if any(day.rides[visit >> 1].call is None for visit in shuttle.plan):
        day.found("plan", f"{shuttle.id} is sent elsewhere with riders in its plan", shuttle)


def _judge_turn(day: Day, shuttle: Shuttle, ride: Ride, place: int) -> None:
    """It was on its way and turned; without leave to, only for a ride that has ended or a fact of the world."""
    old = ride.dropoff_place if ride.state is ABOARD else ride.pickup_place
    if place != old and ride.state in (*OPEN, FIXED) and not (day.disturbed or shuttle.late):
        what = f"{shuttle.id} was on its way for {ride.id} and is turned away; the policy has no diversions"
        day.found("committed", what, shuttle, ride)


def _judge_progress(day: Day, shuttle: Shuttle, node: int, reached_at: int) -> None:
    """Can it be at this node by then?

    By the triangle inequality no way between two nodes is shorter than the difference of what they are from any
    place; the difference from its goal is exact if the shuttle follows a fastest way.
    """
    if shuttle.goal < 0:
        day.found("legal", f"{shuttle.id} makes progress, but does not drive", shuttle)
        return
    took = reached_at - shuttle.drive_at
    least = expected = 0
    if shuttle.drive_table is not None and node != shuttle.drive_node:
        table = shuttle.drive_table[shuttle.drive_slice]
        nearer = np.subtract(table[shuttle.drive_node], table[node])
        least, expected = int(nearer.max()), int(nearer[shuttle.goal])
        if shuttle.drive_factor != 1.0:
            least = int(least * shuttle.drive_factor * FLOOR)
    if took < least:
        what = f"{shuttle.id} is at node {node} at {clock(reached_at)}, {took / 1000:g} s after node"
        day.found("road", f"{what} {shuttle.drive_node}; the road takes {least / 1000:g} s", shuttle)
    elif took > expected:
        shuttle.late = True


def _least_drive(shuttle: Shuttle, node: int, place: int) -> int:
    """What a drive from a node to a place takes at least, on the roads on which the drive under way began."""
    table = shuttle.drive_table
    assert table is not None
    free: int = table.item(shuttle.drive_slice, node, place)
    factor = shuttle.drive_factor
    return free if factor == 1.0 else int(free * factor * FLOOR)


def road_closed(day: Day, event: e.RoadClosed) -> None:
    day.closed_edges.update(event.edges)
    _roads_changed(day)


def road_reopened(day: Day, event: e.RoadReopened) -> None:
    day.closed_edges.difference_update(event.edges)
    _roads_changed(day)


def speeds_changed(day: Day, event: e.SpeedsChanged) -> None:
    day.factor = event.factor
    _roads_changed(day)


def _roads_changed(day: Day) -> None:
    """A drive goes on as the roads now are from where it was last noted, if that is now; else as they were."""
    day.disturbed = True
    if day.reroute is not None and day.times is not None:
        day.drive_on(day.reroute(frozenset(day.closed_edges), day.factor).table)
    for shuttle in day.shuttles.values():
        if shuttle.drive_at >= day.now:
            shuttle.drive_factor, shuttle.drive_table = day.scale(), day.table
        else:
            shuttle.drive_factor = min(shuttle.drive_factor, day.scale())
