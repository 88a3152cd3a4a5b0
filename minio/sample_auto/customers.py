"""Draw the customers: person, family, money, car, and earlier claims."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from sample_auto.population import Column, Population

AGE_BANDS = (25, 30, 35, 40, 45, 50, 55, 60)
RICHEST = 170_000  # above this income the profile's curve for home values gives values that the profile does not have
BLUEBOOK_FLOOR, LOWEST_BLUEBOOK_LISTED = 1500, 2000

# Dependencies that are in no table, fitted by hand to the profile's rank correlations. STANDING is the median income of
# a customer's job and education.
AGE_LEAN = {"STANDING": 0.25}
KIDS_LEAN = {"STANDING": -0.14}
KIDS_DRIVING_LEAN = {"AGE": 0.30}
YOJ_LEAN = {"AGE": 0.31, "HOMEKIDS": 0.42}
HOME_LEAN = {"AGE": 0.24, "YOJ": 0.28}
BLUEBOOK_LEAN = {"INCOME": 0.46, "AGE": 0.12}
CAR_AGE_LEAN = {"AGE": 0.08, "BLUEBOOK": 0.12}
CLAIMS_LEAN = {"INCOME": -0.04, "HOME_VAL": -0.13, "HOMEKIDS": 0.04, "KIDSDRIV": 0.06, "TRAVTIME": 0.06}
POINTS_LEAN = {"INCOME": -0.02, "AGE": -0.06, "TIF": -0.05, "HOMEKIDS": 0.02}


def draw_customers(profile: Mapping[str, Any], size: int, rng: np.random.Generator) -> Population:
    """Draw `size` customers without missing values; `files.spoil` removes values later."""
    people = Population(profile["tables"], profile["quantile_grid"], size, rng)
    _person(people)
    _family(people, profile["age"])
    _money(people, profile["home_value"])
    _car(people)
    _history(people)
    return people


def age_bands(ages: Column) -> Column:
    """Return the band of each age, such as `[25,30)`."""
    edges = (0, *AGE_BANDS, 100)
    names = np.array([f"[{low},{high})" for low, high in pairwise(edges)])
    return names[np.searchsorted(AGE_BANDS, ages, side="right")]


def _person(people: Population) -> None:
    for table in ("URBANICITY", "EDUCATION|URBANICITY", "SEX", "JOB|EDUCATION,SEX"):
        people.draw(table)
    median = people.grid.index(0.5)
    incomes = people.tables["INCOME_POS|JOB,EDUCATION"]
    pairs = zip(people["JOB"], people["EDUCATION"], strict=True)
    people["STANDING"] = np.array([incomes[f"{job}|{education}"][median] for job, education in pairs])


def _family(people: Population, age: Mapping[str, float]) -> None:
    drawn = np.rint(age["mean"] + age["sd"] * people.latent(AGE_LEAN))
    people["AGE"] = np.clip(drawn, age["min"], age["max"]).astype(int)
    people["AGE_BAND"] = age_bands(people["AGE"])
    people["HOMEKIDS"] = people.draw("HOMEKIDS|AGE_BAND", KIDS_LEAN).astype(int)
    people.either(people["HOMEKIDS"] > 0, "HAS_KIDS")
    people.draw("MSTATUS|HAS_KIDS")
    alone = (people["MSTATUS"] == "No") & (people["HOMEKIDS"] > 0)
    people["PARENT1"] = np.where(alone, "Yes", "No")
    people["KIDSDRIV"] = people.draw("KIDSDRIV|HOMEKIDS", KIDS_DRIVING_LEAN).astype(int)


def _money(people: Population, home_value: Mapping[str, float]) -> None:
    no_income = people.draw("INCOME_ZERO|JOB") == "yes"
    people["INCOME"] = np.where(no_income, 0, _whole(people.draw("INCOME_POS|JOB,EDUCATION")))
    no_years = people.draw("YOJ_ZERO|INCOME_ZERO") == "yes"
    people["YOJ"] = np.where(no_years, 0, _whole(people.draw("YOJ_POS", YOJ_LEAN)))
    people.either(people["JOB"] == "Student", "STUDENT")
    no_home = people.draw("HOME_ZERO|MSTATUS,STUDENT", HOME_LEAN) == "yes"
    people["HOME_VAL"] = np.where(no_home, 0, _home_values(people, home_value))


def _home_values(people: Population, model: Mapping[str, float]) -> Column:
    """Return home values: log-normal around a curve in the square root of the income, which is flat above `RICHEST`."""
    root = np.minimum(np.sqrt(people["INCOME"]), RICHEST**0.5)
    expected = model["a0"] + model["a1"] * root + model["a2"] * root**2
    return _whole(np.exp(expected + model["resid_sd"] * people.rng.standard_normal(people.size)))


def _car(people: Population) -> None:
    for table in ("CAR_USE|JOB,SEX", "CAR_TYPE|SEX,CAR_USE", "RED_CAR|SEX"):
        people.draw(table)
    values = _whole(people.draw("BLUEBOOK|CAR_TYPE", BLUEBOOK_LEAN) / 10) * 10
    people["BLUEBOOK"] = np.where(values < LOWEST_BLUEBOOK_LISTED, BLUEBOOK_FLOOR, values)
    people["CAR_AGE"] = _whole(people.draw("CAR_AGE|EDUCATION", CAR_AGE_LEAN))
    people["TRAVTIME"] = _whole(people.draw("TRAVTIME|URBANICITY"))


def _history(people: Population) -> None:
    people["TIF"] = people.draw("TIF").astype(int)
    people["CLM_FREQ"] = people.draw("CLM_FREQ|URBANICITY", CLAIMS_LEAN).astype(int)
    people.draw("REVOKED|CLM_FREQ")
    claims = people.draw("OLDCLAIM_POS|REVOKED")
    people["OLDCLAIM"] = np.where(people["CLM_FREQ"] > 0, _whole(claims), 0)
    people["MVR_PTS"] = people.draw("MVR_PTS|CLM_FREQ", POINTS_LEAN).astype(int)


def _whole(values: Column) -> Column:
    return np.rint(values.astype(float)).astype(int)
