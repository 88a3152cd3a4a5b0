"""Small loans of eight weeks and of the time before and after: what is said about them is drift, then a changed world.

In the weeks 4 to 6 incomes are lower. From week 4 on it is the city that tells who repays, and not the income.
"""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

NAME = "borrowers"
START = datetime(2026, 3, 2, tzinfo=UTC)  # of week 1
WEEKS = range(1, 9)
LOW_INCOMES = range(4, 7)
CHANGE = 4
BEFORE, PER_WEEK = 900, 400
SPEC = """\
name: borrowers
description: Who repays a small loan?
entity: {name: loan, key: [loan]}
label: {column: repaid, positive: "yes", negative: "no"}
event_time: asked
known_at: event_time
columns:
  loan: integer
  asked: {type: timestamp, zone: UTC}
  income: number
  age: number
  city: category
  repaid: category
search: {folds: 2, jobs: 1, candidates: {logistic_regression: {}}}
monitor: {every: 1w, on_drift: retrain_with_approval}
"""


def training_file(week: int) -> bytes:
    """Return the loans of a week as they are told with their truth; week 0 is all the time before."""
    return _csv(_loans(week))


def test_file(week: int) -> bytes:
    """Return the loans of a week before their truth is known."""
    return _csv(_loans(week).drop(columns="repaid"))


def _loans(week: int) -> pd.DataFrame:
    rows, random = (PER_WEEK if week else BEFORE), np.random.default_rng(week)
    length = timedelta(weeks=1 if week else 12)
    begin = START + timedelta(weeks=week - 1) if week else START - length
    income = random.normal(1.2 if week in LOW_INCOMES else 2.0, 0.5, rows)
    age = random.normal(40, 10, rows)
    city = random.integers(0, 3, rows)
    told = 3.0 * (city - 1) if week >= CHANGE else 4.0 * (income - 2.0)
    return pd.DataFrame(
        {
            "loan": np.arange(rows) + week * 10_000,
            "asked": [(begin + length * share).isoformat() for share in np.sort(random.random(rows))],
            "income": income.round(3),
            "age": age.round(1),
            "city": np.array(["Accra", "Lima", "Pune"])[city],
            "repaid": np.where(random.random(rows) < 1 / (1 + np.exp(-told - 0.05 * (age - 40))), "yes", "no"),
        }
    )


def _csv(rows: pd.DataFrame) -> bytes:
    text = io.StringIO()
    rows.to_csv(text, index=False)
    return text.getvalue().encode()
