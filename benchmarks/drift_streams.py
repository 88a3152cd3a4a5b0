# ruff: noqa: TID253 – of a benchmark, which no module imports
"""Simulated streams: rows of a training, then one set of rows per check, with a known kind of drift or with none."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.random import Generator

CHECKS, ONSET, SEASON = 10, 4, 12  # sets of rows per stream; the first one with drift; sets per season
Change = Callable[[pd.DataFrame, int, Generator], None]  # changes rows in place; how many sets since the onset


def rows(n_rows: int, random: Generator) -> pd.DataFrame:
    """Draw rows without drift: correlated numbers, a skewed one, a count, two categories, one column with gaps."""
    one, two, three = random.normal(size=(3, n_rows))
    frame = pd.DataFrame({"one": one, "two": 0.8 * one + 0.6 * two, "gaps": three})
    frame["skewed"] = random.lognormal(10, 1, n_rows).round()
    frame["count"] = random.poisson(2, n_rows).astype("float64")
    frame["town"] = random.choice(np.array(list("abcdefgh"), dtype=object), n_rows, p=np.arange(8, 0, -1) / 36)
    frame["segment"] = random.choice(np.array(["large", "middle", "small"], dtype=object), n_rows, p=[0.5, 0.3, 0.2])
    frame.loc[random.random(n_rows) < 0.05, "gaps"] = np.nan
    return frame


def nothing(_: pd.DataFrame, __: int, ___: Generator) -> None:
    """Change nothing."""


def tiny(frame: pd.DataFrame, _: int, __: Generator) -> None:
    """Raise a number by 10 %, a tenth of its standard deviation: in many rows significant, and too small to matter."""
    frame["skewed"] *= 1.1


def shift(frame: pd.DataFrame, _: int, __: Generator) -> None:
    """Shift one number by half a standard deviation."""
    frame["one"] += 0.5


def scale(frame: pd.DataFrame, _: int, __: Generator) -> None:
    """Stretch one number by half: its mean stays."""
    frame["one"] *= 1.5


def new_category(frame: pd.DataFrame, _: int, random: Generator) -> None:
    """Give 8 % of the rows a category that the training never had."""
    frame.loc[random.random(len(frame)) < 0.08, "town"] = "new"


def missing_burst(frame: pd.DataFrame, since: int, random: Generator) -> None:
    """Lose 20 % of the values of a column, for two checks only."""
    if since < 2:
        frame.loc[random.random(len(frame)) < 0.2, "count"] = np.nan


def sudden(frame: pd.DataFrame, _: int, __: Generator) -> None:
    """Turn the correlation of two numbers at once: no feature alone shows it."""
    frame["two"] -= 1.6 * frame["one"]


def gradual(frame: pd.DataFrame, since: int, __: Generator) -> None:
    """Shift a number by another 0.1 standard deviations at each check."""
    frame["one"] += 0.1 * (since + 1)


def in_one_segment(frame: pd.DataFrame, _: int, __: Generator) -> None:
    """Shift a number by one and a half standard deviations, in a fifth of the rows."""
    frame.loc[frame["segment"] == "small", "one"] += 1.5


def seasonal(frame: pd.DataFrame, since: int, _: Generator) -> None:
    """Move a number up and down with the season, which the training did not see."""
    frame["one"] += np.sin(2 * np.pi * (since + 1) / SEASON)


KINDS: dict[str, Change] = {
    "shift of a number": shift, "scale of a number": scale, "new category": new_category,
    "burst of missing values": missing_burst, "sudden turn of a correlation": sudden, "gradual shift": gradual,
    "seasonal": seasonal, "in one segment only": in_one_segment,
}  # fmt: skip


def stream(change: Change, n_rows: int, random: Generator) -> Iterator[pd.DataFrame]:
    """Yield the rows of each check; they change from the check `ONSET` on."""
    for number in range(CHECKS):
        frame = rows(n_rows, random)
        if number >= ONSET:
            change(frame, number - ONSET, random)
        yield frame
