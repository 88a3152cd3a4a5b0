"""Write customers the way such files arrive: dollar signs, odd prefixes, gaps, a car that is minus three years old."""

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
    """Choose at random who is in the test file; both lists of row numbers are ascending."""
    in_test = np.zeros(people.size, dtype=bool)
    in_test[people.rng.choice(people.size, test_rows, replace=False)] = True
    return {"train": np.flatnonzero(~in_test), "test": np.flatnonzero(in_test)}


def texts(people: Population, profile: Mapping[str, Any]) -> dict[str, Column]:
    """Turn every column into the texts of the file, still complete but for JOB, whose unknown is an empty cell."""
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
    """Put in the odd car ages, and empty cells completely at random; the test file loses its targets as well."""
    for name, count in missing.items():
        for part, members in rows.items():
            cells[name][rng.choice(members, count[part], replace=False)] = ""
    filled = rows["train"][cells["CAR_AGE"][rows["train"]] != ""]
    cells["CAR_AGE"][rng.choice(filled, len(ODD_CAR_AGES), replace=False)] = [str(age) for age in ODD_CAR_AGES]
    for name in TARGETS:
        cells[name][rows["test"]] = ""


def write(path: Path, header: list[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV with a byte order mark and bare line feeds; only a cell that holds a comma is quoted."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _amount(value: float, point_zero: bool) -> str:
    """Print at most ten significant digits; a few whole amounts end in `.0`, as after a trip through a spreadsheet."""
    return f"{value:.1f}" if point_zero and value and value.is_integer() else f"{value:.10g}"
