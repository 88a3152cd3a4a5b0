"""Flights and weather are the package's, no row twice, in UTC; the test file tells nothing of the outcome."""

import gzip
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

MINIO = Path(__file__).resolve().parents[2] / "minio"
FILES = ("train_flights.csv.gz", "test_flights.csv.gz", "weather.csv.gz")
KEY = ["carrier", "flight", "origin"]
OUTCOME = {"late", "dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


def generate(out: Path, *arguments: str) -> Path:
    """Run the generator as people do."""
    command = [sys.executable, MINIO / "generate_samples.py", "flights", "--out", out, *arguments]
    subprocess.run(command, check=True)
    return out


def read(name: str, time: str) -> pd.DataFrame:
    return pd.read_csv(MINIO / "samples" / name, parse_dates=[time])


@pytest.fixture(scope="module")
def flights() -> dict[str, pd.DataFrame]:
    return {part: read(f"{part}_flights.csv.gz", "sched_dep") for part in ("train", "test")}


@pytest.fixture(scope="module")
def weather() -> pd.DataFrame:
    return read("weather.csv.gz", "observed_at")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("made"))


@pytest.mark.prove
@pytest.mark.parametrize("name", FILES)
def test_the_committed_files_are_what_the_generator_makes(name: str, made: Path) -> None:
    # What is packed, not the packing: that differs between builds of zlib.
    assert gzip.decompress((made / name).read_bytes()) == gzip.decompress((MINIO / "samples" / name).read_bytes())


@pytest.mark.prove
def test_the_same_seed_makes_the_same_bytes_and_another_seed_other_flights(made: Path, tmp_path: Path) -> None:
    again, other = generate(tmp_path / "again"), generate(tmp_path / "other", "--seed", "7")
    assert all((again / name).read_bytes() == (made / name).read_bytes() for name in FILES)
    assert [(other / name).read_bytes() == (made / name).read_bytes() for name in FILES] == [False, False, True]


def test_no_flight_stands_twice(flights: dict[str, pd.DataFrame]) -> None:
    assert {part: len(rows) for part, rows in flights.items()} == {"train": 20_000, "test": 4_000}
    assert not pd.concat(flights).duplicated([*KEY, "sched_dep"]).any()


def test_no_reading_stands_twice(weather: pd.DataFrame) -> None:
    assert len(weather) == 26_115
    assert not weather.duplicated(["origin", "observed_at"]).any()
    assert set(weather["origin"]) == {"EWR", "JFK", "LGA"}


def test_train_ends_before_test_begins(flights: dict[str, pd.DataFrame]) -> None:
    assert flights["train"]["sched_dep"].max() < flights["test"]["sched_dep"].min()


def test_the_test_file_tells_nothing_of_the_outcome(flights: dict[str, pd.DataFrame]) -> None:
    assert set(flights["train"]) - set(flights["test"]) == OUTCOME
    assert not set(flights["test"]) & OUTCOME


def test_late_is_more_than_a_quarter_of_an_hour(flights: dict[str, pd.DataFrame]) -> None:
    train = flights["train"]
    assert ((train["late"] == "yes") == (train["arr_delay"] > 15)).all()
    assert train["late"].isin(["yes", "no"]).all()
    assert (train["late"] == "yes").mean() == pytest.approx(0.248, abs=0.001)


@pytest.mark.parametrize(
    ("part", "carrier", "flight", "origin", "departure"),
    [
        ("train", "B6", 79, "JFK", "2013-01-01T11:00Z"),  # 06:00 in winter
        ("train", "B6", 371, "LGA", "2013-06-10T10:00Z"),  # 06:00 in summer
        ("test", "UA", 1244, "EWR", "2014-01-01T01:17Z"),  # 20:17 on the last day of the year
    ],
)
def test_departures_are_in_utc(
    part: str, carrier: str, flight: int, origin: str, departure: str, flights: dict[str, pd.DataFrame]
) -> None:
    rows = flights[part]
    same = (rows["carrier"] == carrier) & (rows["flight"] == flight) & (rows["origin"] == origin)
    assert (rows.loc[same, "sched_dep"] == pd.Timestamp(departure)).sum() == 1


def test_the_clock_at_departure_less_the_delay_is_the_plan(flights: dict[str, pd.DataFrame]) -> None:
    train = flights["train"]
    clock = train["dep_time"] // 100 * 60 + train["dep_time"] % 100
    there = train["sched_dep"].dt.tz_convert("America/New_York")
    assert ((clock - train["dep_delay"]) % 1440 == there.dt.hour * 60 + there.dt.minute).all()


def test_hour_and_weekday_are_new_york_s(flights: dict[str, pd.DataFrame]) -> None:
    for rows in flights.values():
        there = rows["sched_dep"].dt.tz_convert("America/New_York")
        assert (there.dt.hour == rows["hour"]).all()
        assert (there.dt.isocalendar().day == rows["dow"]).all()


@pytest.mark.parametrize(
    ("reported", "temperature"),
    [
        ("2013-01-02T04:51Z", 28.04),
        ("2013-07-04T16:51Z", 86.0),
    ],  # of the hours from 23:00 in winter and 12:00 in summer
)
def test_a_reading_counts_from_its_report_on(reported: str, temperature: float, weather: pd.DataFrame) -> None:
    row = weather[(weather["origin"] == "EWR") & (weather["observed_at"] == pd.Timestamp(reported))]
    assert row["temp"].tolist() == [temperature]
