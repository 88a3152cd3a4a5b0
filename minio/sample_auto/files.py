"""Write customers as a typical dirty file: dollar signs, odd prefixes, empty cells, a car age of minus three."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sample_auto.population import Column, Population

MONEY = ("INCOME", "HOME_VAL", "BLUEBOOK", "OLDCLAIM")
TARGETS = ("TARGET_FLAG", "TARGET_AMT")
ODD_CAR_AGES = (-3, 0, 0, 0)
POINT_ZERO_SHARE = 0.03


def split(people: Population, test_rows: int) -> dict[str, Column]:
    """Draw the rows of the test file at random; return the row numbers of both files, ascending."""
    in_test = np.zeros(people.size, dtype=bool)
    in_test[people.rng.choice(people.size, test_rows, replace=False)] = True
    return {"train": np.flatnonzero(~in_test), "test": np.flatnonzero(in_test)}


def texts(people: Population, profile: Mapping[str, Any]) -> dict[str, Column]:
    """Return the texts of every column; only JOB has empty cells yet, for unknown jobs."""
    cells = {name: people[name].astype(str).astype(object) for name in profile["columns"] if name in people}
    cells["INDEX"] = (np.arange(people.size) + 1).astype(str)
    for name in MONEY:
        cells[name] = np.array([f"${value:,}" for value in people[name]], dtype=object)
    for name, values in profile["categories"].items():
        raw = {value.removeprefix("z_"): value for value in values} | {"Unknown": ""}
        cells[name] = np.array([raw[value] for value in people[name]], dtype=object)
    point_zero = people.rng.random(people.size) < POINT_ZERO_SHARE
    pairs = zip(people["TARGET_AMT"], point_zero, strict=True)
    cells["TARGET_AMT"] = np.array([_amount(value, zero) for value, zero in pairs], dtype=object)
    return cells


def spoil(
    cells: Mapping[str, Column], rows: Mapping[str, Column], missing: Mapping[str, Any], rng: np.random.Generator
) -> None:
    """Add the odd car ages, empty cells completely at random, and empty the targets of the test file."""
    for name, count in missing.items():
        for part, members in rows.items():
            cells[name][rng.choice(members, count[part], replace=False)] = ""
    filled = rows["train"][cells["CAR_AGE"][rows["train"]] != ""]
    cells["CAR_AGE"][rng.choice(filled, len(ODD_CAR_AGES), replace=False)] = [str(age) for age in ODD_CAR_AGES]
    for name in TARGETS:
        cells[name][rows["test"]] = ""


def write(path: Path, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV with a byte order mark and line feeds; only a cell with a comma is quoted."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _amount(value: float, point_zero: bool) -> str:
    """Return an amount with at most ten significant digits; some whole ones end in `.0`, as from a spreadsheet."""
    return f"{value:.1f}" if point_zero and value and value.is_integer() else f"{value:.10g}"
