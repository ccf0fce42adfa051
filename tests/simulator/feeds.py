"""A made GTFS feed for tests: a train between two ends of a street, and a bus along it."""

from __future__ import annotations

from pathlib import Path

TABLES = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
    "station,Station,0,4000,1,\ntrack1,Track 1,0,4000,0,station\nfar,Elsewhere,0,90000,0,\n"
    "b0,West,0,0,0,\nb2,Middle,0,2000,0,\nb4,East,0,4000,0,\n",
    "routes.txt": "route_id,route_type\nR,2\nB,3\n",
    "trips.txt": "trip_id,route_id,service_id\nt1,R,weekday\nt2,R,weekday\nback,R,weekday\nsunday,R,sunday\n"
    "bus,B,weekday\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,07:00:00,07:00:00,far,1\nt1,08:10:00,08:10:00,track1,2\n"
    "t2,17:00:00,17:00:00,far,1\nt2,18:10:00,18:10:00,track1,2\n"
    "back,08:40:00,08:40:00,track1,1\nback,09:40:00,09:40:00,far,2\n"
    "sunday,10:00:00,10:00:00,far,1\nsunday,11:00:00,11:00:00,track1,2\n"
    "bus,08:00:00,08:00:00,b0,1\nbus,,,b2,2\nbus,08:20:00,08:20:00,b4,3\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "weekday,1,1,1,1,1,0,0,20260101,20261231\nsunday,0,0,0,0,0,0,1,20260101,20261231\n",
}


def write_feed(folder: Path, **changed: str | None) -> Path:
    """The feed as a folder; `stops="…"` replaces stops.txt, None leaves a table out."""
    folder.mkdir(exist_ok=True)
    for name, text in TABLES.items():
        content = changed.get(name.removesuffix(".txt"), text)
        if content is not None:
            (folder / name).write_text(content)
    for name, extra in changed.items():
        if extra is not None and f"{name}.txt" not in TABLES:
            (folder / f"{name}.txt").write_text(extra)
    return folder
