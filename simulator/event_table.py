"""A day's log as one flat table for analysis: a row an event, the columns that events share, and the whole as JSON.

The schema is `COLUMNS`, which `simulator/README.md` repeats and a test compares. Read back with any Parquet library.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from dispatch.core import events as ev
from dispatch.core.domain import RideRequest
from dispatch.core.kpi_tally import persons
from simulator.outputs import write_whole


class Column(NamedTuple):
    """A column of the table."""

    name: str
    type: str
    """as pyarrow names it"""
    meaning: str


COLUMNS: Final = (
    Column("seq", "int32", "line of the log, from 1"),
    Column("at_ms", "int64", "time of the service day, milliseconds"),
    Column("utc", "timestamp[ms, tz=UTC]", "the same as a moment"),
    Column("type", "string", "name of the event"),
    Column("shuttle", "string", "shift that it is about"),
    Column("vehicle", "string", "the shift's vehicle"),
    Column("request", "string", "call that it is about"),
    Column("attempt", "string", "first call of the same journey"),
    Column("place", "string", "stop point that it names: driven to, arrived at; of RideBooked the pickup's"),
    Column("to_place", "string", "of RideBooked the drop-off's; of RequestMade the nearest to the destination"),
    Column("node", "int32", "node of the road network"),
    Column("driven_m", "double", "metres since the drive started or its progress was last noted"),
    Column("persons", "int16", "of the call"),
    Column("wheelchairs", "int16", "of them"),
    Column("depart_after_ms", "int64", "departure asked for in the attempt's first call"),
    Column("direct_ms", "int64", "unshared drive of the call"),
    Column("pickup_at_ms", "int64", "pickup told"),
    Column("dropoff_at_ms", "int64", "drop-off told"),
    Column("pickup_from_ms", "int64", "window promised"),
    Column("pickup_to_ms", "int64", "its end"),
    Column("dropoff_by_ms", "int64", "latest drop-off promised"),
    Column("fare", "int64", "of a booking, in the zone's currency"),
    Column("reason", "string", "binding constraint of a refusal, cause of a change, reason of a person"),
    Column("json", "string", "the whole event as the log has it, without seq, schema and utc"),
)  # fmt: skip


def rows(events: Iterable[ev.Event]) -> list[dict[str, Any]]:
    """A row an event; absent values are None."""
    zero = 0
    places: tuple[str, ...] = ()
    vehicle: dict[str, str] = {}
    calls: dict[str, RideRequest] = {}
    first: dict[str, int] = {}
    out = []
    for seq, event in enumerate(events, 1):
        if isinstance(event, ev.DayOpened):
            zero, places = event.zero_utc, event.places
        elif isinstance(event, ev.ShiftOpened):
            vehicle[event.shift.id] = event.shift.vehicle
        elif isinstance(event, ev.RequestMade):
            calls[event.request.id] = call = event.request
            own = call.depart_after if call.first_depart is None else call.first_depart
            first.setdefault(call.attempt or call.id, own)
        row: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS)
        row |= {"seq": seq, "at_ms": event.at, "utc": zero + event.at, "type": type(event).__name__}
        row |= _of(event, places)
        row["vehicle"] = vehicle.get(row["shuttle"]) if row["shuttle"] else None
        asked = calls.get(row["request"]) if row["request"] else None
        if asked is not None:
            row["attempt"] = asked.attempt or asked.id
            row |= {"persons": persons(asked), "wheelchairs": asked.wheelchairs, "direct_ms": asked.direct}
            row["depart_after_ms"] = first[row["attempt"]]
        row["json"] = msgspec.json.encode(event).decode()
        out.append(row)
    return out


def _of(event: ev.Event, places: tuple[str, ...]) -> dict[str, Any]:
    """What the event itself says of the shared columns."""
    said: dict[str, Any] = {}
    for name, value in (
        (name, getattr(event, name)) for name in event.__struct_fields__ if name in ("shuttle", "node", "place", "fare")
    ):
        said[name] = places[value] if name == "place" and value is not None else value
    request = getattr(event, "request", None)
    if isinstance(event, ev.RequestMade):
        call = event.request
        said |= {"request": call.id, "place": places[call.origins[0].place]}
        said["to_place"] = places[call.destinations[0].place]
    elif isinstance(request, str):
        said["request"] = request
    if isinstance(event, ev.ShiftOpened):
        said |= {"shuttle": event.shift.id, "node": event.shift.node}
    if hasattr(event, "driven_mm"):
        said["driven_m"] = event.driven_mm / 1000
    if isinstance(event, ev.RideBooked):
        promise = event.promise
        said |= {
            "place": places[event.pickup.place], "to_place": places[event.dropoff.place],
            "pickup_from_ms": promise.pickup_from, "pickup_to_ms": promise.pickup_to,
            "dropoff_by_ms": promise.dropoff_by,
        }  # fmt: skip
    if isinstance(event, ev.RideBooked | ev.PromiseAtRisk):
        said |= {"pickup_at_ms": event.pickup_at, "dropoff_at_ms": event.dropoff_at}
    if isinstance(event, ev.RideRefused | ev.RideQueued):
        said["reason"] = event.receipt.binding
    else:
        said["reason"] = getattr(event, "cause", None) or getattr(event, "reason", None) or None
    return said


def schema() -> Any:
    """The table's pyarrow schema."""
    import pyarrow as pa

    kinds = {"int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(), "double": pa.float64(),
             "string": pa.string(), "timestamp[ms, tz=UTC]": pa.timestamp("ms", tz="UTC")}  # fmt: skip
    return pa.schema([
        pa.field(column.name, kinds[column.type], metadata={"meaning": column.meaning}) for column in COLUMNS
    ])  # fmt: skip


def write_parquet(path: Path, events: Iterable[ev.Event]) -> int:
    """The log as a Parquet file with exactly this schema; the number of rows. Raises OSError with the path."""
    import io

    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pylist(rows(events), schema=schema())
    content = io.BytesIO()
    parquet.write_table(table, content, compression="zstd")
    write_whole(path, content.getvalue())
    return int(table.num_rows)
