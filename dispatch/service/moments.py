"""Times at the edge: ISO 8601 with offset outside, integer milliseconds of the service day inside."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

TURN_H = 4
"""a service day closes at 04:00"""


class Moments:
    """The service day's zero and the zone's time zone."""

    def __init__(self, zero_utc: int, timezone: str) -> None:
        self.zero_utc = zero_utc
        self.timezone = ZoneInfo(timezone)

    def told(self, ms: int) -> dt.datetime:
        """A moment of the service day as people outside read it, in whole milliseconds."""
        seconds, rest = divmod(self.zero_utc + ms, 1000)
        return dt.datetime.fromtimestamp(seconds, self.timezone).replace(microsecond=rest * 1000)

    def told_or_none(self, ms: int | None) -> dt.datetime | None:
        """As `told`, and None where there is no time to tell."""
        return None if ms is None else self.told(ms)

    def service_date(self, ms: int) -> dt.date:
        """Of the service day that a moment belongs to."""
        return date_of(self.zero_utc + ms, self.timezone.key)

    def in_service_day(self, ms: int) -> int:
        """ms since the zero of the service day that a moment belongs to."""
        return self.zero_utc + ms - zero_utc_of(self.service_date(ms), self.timezone.key)

    def on_date(self, date: dt.date, ms: int) -> int:
        """A time of another service day, in ms of this one."""
        return zero_utc_of(date, self.timezone.key) + ms - self.zero_utc

    def ms(self, moment: dt.datetime) -> int:
        """ms of the service day of a moment with an offset."""
        utc = moment.astimezone(dt.UTC)
        whole = int((utc.replace(microsecond=0) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)).total_seconds())
        return whole * 1000 + utc.microsecond // 1000 - self.zero_utc


def zero_utc_of(date: dt.date, timezone: str) -> int:
    """UTC of a service day's zero (noon − 12 h, as GTFS), ms since 1970."""
    noon = dt.datetime.combine(date, dt.time(12), ZoneInfo(timezone))
    return (round(noon.timestamp()) - 12 * 3600) * 1000


def date_of(utc: int, timezone: str) -> dt.date:
    """Date of the service day that a moment, ms since 1970, belongs to: days begin at 04:00."""
    local = dt.datetime.fromtimestamp(utc // 1000, ZoneInfo(timezone))
    return (local - dt.timedelta(hours=TURN_H)).date()
