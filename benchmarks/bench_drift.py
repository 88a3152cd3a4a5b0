# ruff: noqa: TID253 – a program of its own, which no module imports
"""Measure how often the check for drift is right: false alarms without drift, and delay by kind of drift.

`make bench args=drift` compares simulated rows with a simulated training set, as `monitor_<data set>` does, but without
predictions. A stream is a series of checks; drift begins at one of them. Its delay is the number of further checks
until the first alarm.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.drift_streams import KINDS, ONSET, Change, nothing, rows, stream, tiny
from ml_platform.monitoring.comparison import compare, has_drift
from ml_platform.monitoring.reference import Season

PAGE = Path(__file__).resolve().parents[1] / "docs" / "monitoring.md"
BEGIN, END = '<!-- written by: make bench args="drift --write" -->', "<!-- /written -->"
TRAINING_ROWS = 10_000


class Alarms(NamedTuple):
    """The alarms of streams: of each stream, at which checks from the onset on there was one."""

    streams: list[list[bool]]

    @property
    def per_check(self) -> float:
        """The share of the checks with an alarm."""
        return float(np.mean([alarm for stream in self.streams for alarm in stream]))

    @property
    def per_stream(self) -> float:
        """The share of the streams with an alarm."""
        return float(np.mean([any(stream) for stream in self.streams]))

    @property
    def delays(self) -> list[int]:
        """The checks without an alarm before the first one, of each stream that has one."""
        return [stream.index(True) for stream in self.streams if any(stream)]


def alarms(change: Change, n_rows: int, n_streams: int, *, stop: bool) -> Alarms:
    """Simulate streams with fixed seeds; with `stop`, until the first alarm, and only from the onset on."""
    return Alarms([list(_alarms(change, n_rows, seed, stop=stop)) for seed in range(n_streams)])


def _alarms(change: Change, n_rows: int, seed: int, *, stop: bool) -> Iterator[bool]:
    random = np.random.default_rng(seed)
    training = rows(TRAINING_ROWS, random)
    for number, now in enumerate(stream(change, n_rows, random)):
        if stop and number < ONSET:
            continue
        alarm = has_drift(compare(training, now))
        yield alarm
        if stop and alarm:
            return


def seasonal_alarms(n_rows: int, n_streams: int) -> Alarms:
    """Simulate streams with a season of a year, checked every two weeks with and without drift: `monitor.season`."""
    return Alarms([[_seasonal_alarm(n_rows, seed, week) for week in range(0, 52, 4)] for seed in range(n_streams)])


def _seasonal_alarm(n_rows: int, seed: int, week: int) -> bool:
    random = np.random.default_rng([seed, week])
    first = pd.Timestamp("2026-01-05", tz="UTC") + pd.Timedelta(weeks=week)
    last = first + pd.Timedelta(weeks=2)
    training, now = (
        in_time(2 * TRAINING_ROWS, first - pd.Timedelta(weeks=110), first, random),
        in_time(n_rows, first, last, random),
    )
    is_same = Season(pd.Timedelta(weeks=52).to_pytimedelta(), first, last).mask(training["time"])
    return has_drift(compare(training[is_same].drop(columns="time"), now.drop(columns="time")))


def in_time(n_rows: int, first: pd.Timestamp, last: pd.Timestamp, random: np.random.Generator) -> pd.DataFrame:
    """Draw rows with their times, whose first number goes up and down once in 52 weeks."""
    frame, span = rows(n_rows, random), last - first
    frame["time"] = first + pd.to_timedelta(random.random(n_rows) * span.total_seconds(), unit="s")
    year = (frame["time"] - pd.Timestamp("2020-01-06", tz="UTC")) / pd.Timedelta(weeks=52)
    frame["one"] += np.sin(2 * np.pi * year)
    return frame


def false_line(name: str, found: Alarms) -> str:
    """Return a row of the table of streams that must not alarm, in Markdown."""
    counted = sum(map(len, found.streams))
    return f"| {name} | {counted:,} | {found.per_check:.1%} | {len(found.streams)} | {found.per_stream:.1%} |\n"


def drift_line(name: str, *sizes: Alarms) -> str:
    """Return a row of the table of streams that must alarm, in Markdown; `sizes` are of few and of many rows."""
    cells = (f"{found.per_stream:.0%} | {np.mean(found.delays or [0]):.1f}" for found in sizes)
    return f"| {name} | {len(sizes[0].streams)} | {' | '.join(cells)} |\n"


def write(page: Path, lines: list[str]) -> None:
    """Replace what is between the marks `BEGIN` and `END` on a page.

    Raises:
        SystemExit: the page lacks a mark.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{page}: the marks {BEGIN} and {END} are not there")
    page.write_text(f"{before}{begin}\n\n{''.join(lines)}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Simulate all streams."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the tables in the documents")
    parser.add_argument("--streams", type=int, default=60, help="without drift; a sixth of it for each kind of drift")
    options = parser.parse_args()
    few = max(2, options.streams // 6)
    lines = ["| no drift | checks | false alarms | streams | with a false alarm |\n", "|---|---|---|---|---|\n"]
    sys.stdout.writelines(lines)
    for n_rows in (200, 1000):
        lines.append(
            _shown(false_line(f"{n_rows:,} rows per check", alarms(nothing, n_rows, options.streams, stop=False)))
        )
    lines.append(
        _shown(false_line("20,000 rows per check, a number is 10 % higher", alarms(tiny, 20_000, few, stop=False)))
    )
    lines.append(_shown(false_line("a season, with `monitor.season`", seasonal_alarms(1000, few))))
    heads = [
        "\n", "| drift | streams | found, 200 rows | mean delay | found, 1,000 rows | mean delay |\n",
        "|---|---|---|---|---|---|\n",
    ]  # fmt: skip
    sys.stdout.writelines(heads)
    lines += heads
    for name, change in KINDS.items():
        few_rows, many_rows = (alarms(change, n_rows, few, stop=True) for n_rows in (200, 1000))
        lines.append(_shown(drift_line(name, few_rows, many_rows)))
    if options.write:
        write(PAGE, lines)


def _shown(line: str) -> str:
    sys.stdout.write(line)
    sys.stdout.flush()
    return line


if __name__ == "__main__":
    main()
