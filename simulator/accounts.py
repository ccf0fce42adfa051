"""What a day costs, saves and emits, and what else there was: the scenario's prices, emissions and baselines.

Nothing of it decides anything, and nothing of it is in a log: it lies beside the log as `accounts.json`, so that
figures can be counted again later, and the same day under another policy is counted by the same prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, field

from dispatch.core.domain import Fares
from dispatch.core.kpi_definitions import DEFINITIONS as KPI_DEFINITIONS
from routing.errors import InputError
from simulator.outputs import write_whole
from simulator.words import Metres, Seconds, Share, Words

ACCOUNTS: Final = "accounts.json"
Money = Annotated[float, Meta(ge=0, le=1e12)]
Grams = Annotated[float, Meta(ge=0, le=100_000)]


class Costs(Words, frozen=True):
    """What running the service costs, in the smallest unit of the scenario's currency, as fares are."""

    shuttle_hour: Money = 0
    """driver, shuttle and insurance, an hour of a shift"""
    km: Money = 0
    """energy, wear"""
    day: Money = 0
    """control room and the like, whatever is driven"""


class Emissions(Words, frozen=True):
    """Grams of CO₂ a km. The defaults are assumed: a diesel minibus, a town's petrol car."""

    shuttle_g_km: Grams = 300
    by_kind: dict[str, Grams] = field(default_factory=dict)
    """of shuttles whose `kind` is named there"""
    car_g_km: Grams = 150
    taxi_empty_share: Share = 0.4
    """of a taxi's km, those without a rider"""


class Baselines(Words, frozen=True):
    """What people could do instead, for the same journeys."""

    gtfs: str | None = None
    """the town's fixed buses"""
    bus_walk_m: Metres = 800
    """to the first bus and from the last one, each"""
    transfer_s: Seconds = 120
    """least time between two buses"""
    transfer_walk_m: Metres = 200
    bus_within_s: Seconds = 7200
    """a journey by bus that takes longer is none"""
    taxi_wait_s: Seconds = 300
    taxi_fare: Fares | None = None
    walk_m_s: Annotated[float, Meta(ge=0.3, le=3)] = 1.2


class Accounts(Struct, frozen=True):
    """A scenario's prices, emissions and baselines, and the kinds of its vehicles."""

    currency: str = "KRW"
    costs: Costs | None = None
    emissions: Emissions = Emissions()
    baselines: Baselines = Baselines()
    kinds: dict[str, str] = field(default_factory=dict)
    """of vehicles that have one"""

    def grams(self, vehicle: str) -> float:
        """CO₂ of a vehicle's km."""
        return self.emissions.by_kind.get(self.kinds.get(vehicle, ""), self.emissions.shuttle_g_km)


def write_accounts(folder: Path, accounts: Accounts) -> None:
    """Beside the log of an output folder. Raises OSError with the path."""
    write_whole(folder / ACCOUNTS, msgspec.json.format(msgspec.json.encode(accounts), indent=2) + b"\n")


def read_accounts(folder: Path) -> Accounts:
    """Those beside a log; the defaults where there are none. Raises InputError for a damaged file."""
    path = (folder if folder.is_dir() else folder.parent) / ACCOUNTS
    try:
        return msgspec.json.decode(path.read_bytes(), type=Accounts)
    except FileNotFoundError:
        return Accounts()
    except msgspec.MsgspecError as error:
        raise InputError(f"cannot be read ({error})", file=path, expected="the file that Naru wrote") from None


DEFINITIONS: Final[Mapping[str, str]] = {
    "extra.money.currency": "of all amounts, which are in its smallest unit: won, cents",
    "extra.money.cost_total": "shuttle-hours, km and the day at the scenario's `costs`",
    "extra.money.cost_per_rider": "cost_total ÷ persons delivered",
    "extra.money.fare_per_rider": "fares of delivered bookings ÷ persons delivered",
    "extra.money.subsidy_per_rider": "cost − fares, a person delivered",
    "extra.money.cost_recovery": "fares ÷ cost",
    "extra.co2.shuttles_kg": "all km of all shifts at each vehicle's grams a km",
    "extra.co2.g_per_rider": "the same, a person delivered",
    "extra.co2.car_g_per_rider": "the same journeys, each booking in a car by the direct way, a person delivered",
    "extra.co2.taxi_g_per_rider": "the same in taxis, their empty km included",
    "extra.baselines.naru_mean_s": "door to door of delivered bookings: alighting + the walk from there − the "
    "departure first asked for",
    "extra.baselines.walk_mean_s": "the same journeys on foot: 1.3 × as the crow flies",
    "extra.baselines.taxi_mean_s": "the same journeys by taxi: a wait as the scenario has it, and the direct drive",
    "extra.baselines.taxi_fare_mean": "what each booking would pay for it",
    "extra.baselines.bus_mean_s": "the same journeys by the fixed buses of the scenario's GTFS, directly or with one "
    "change, waiting and walking included; of those that could be made so",
    "extra.baselines.bus_share": "share of delivered bookings that could be made so, faster than on foot",
    "extra.baselines.bus_asked_share": "the same of all attempts",
    "extra.baselines.bus_transfers_mean": "changes a journey by bus",
    "extra.baselines.bus_walk_mean_s": "walks of a journey by bus",
    "extra.groups": "figures by group of riders: part of town where the journey begins, age group, way of booking, "
    "wheelchair, booking ahead; `share` is delivered ÷ attempts, waits as in wait_mean_s and refused_wait_mean_s",
}
"""What each further figure means; those of a log alone are defined in `dispatch.core.kpi_definitions`."""


ALL_DEFINITIONS: Final[Mapping[str, str]] = {**KPI_DEFINITIONS, **DEFINITIONS}


def nothing() -> dict[str, Any]:
    """The further figures of a day that has none."""
    out: dict[str, Any] = {}
    for key in DEFINITIONS:
        at = out
        *parents, last = key.removeprefix("extra.").split(".")
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = None
    return out
