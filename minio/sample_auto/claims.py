"""Draw the claims: which customers have one, and its amount.

A claim is a Bernoulli trial whose log-odds are linear in the terms of the profile's `label_logit`: the plain columns,
and terms that a linear model of the plain columns cannot represent (age in bands, a step at seven points, three
interactions). `GAIN` and `CURVATURE` set how well models can predict: `GAIN` scales all terms, `CURVATURE` only those
that a linear model lacks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sample_auto.population import Column, Population

GAIN = 1.1
CURVATURE = 1.8
CURVED = ("AGE_in_", "MVR_PTS>=", "COMM_x_", "RURAL_x_")
AMOUNT_LEAN = {"BLUEBOOK": 0.08}


def draw_claims(people: Population, profile: Mapping[str, Any]) -> None:
    """Add TARGET_FLAG (0 or 1) and TARGET_AMT (dollars, 0 without a claim) to the customers."""
    chances = claim_chances(people, profile["label_logit"], profile["positive_rate"])
    people["TARGET_FLAG"] = (people.rng.random(people.size) < chances).astype(int)
    amounts = people.draw("TARGET_AMT_POS", AMOUNT_LEAN).astype(float)
    whole = people.rng.random(people.size) < profile["amounts_in_whole_dollars"]
    people["TARGET_AMT"] = np.where(whole, np.rint(amounts), amounts) * people["TARGET_FLAG"]


def claim_chances(people: Population, coefficients: Mapping[str, float], mean: float) -> Column:
    """Return the probability of a claim per customer, shape (n_customers,); its average is `mean`."""
    numbers = _numbers(people)
    odds = np.zeros(people.size)
    for term, weight in coefficients.items():
        strength = CURVATURE if term.startswith(CURVED) else 1.0
        odds += strength * weight * (numbers[term] if term in numbers else _indicator(people, term))
    spread = GAIN * (odds - odds.mean())
    return sigmoid(spread + intercept(spread, mean))


def intercept(odds: Column, mean: float) -> float:
    """Return what to add to the log-odds so that the average probability is `mean`; found by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        too_low = sigmoid(odds + middle).mean() < mean
        low, high = (middle, high) if too_low else (low, middle)
    return (low + high) / 2


def sigmoid(odds: Column) -> Column:
    """Return the probabilities of log-odds."""
    return 1 / (1 + np.exp(-odds))


def _indicator(people: Population, term: str) -> Column:
    """Return per customer whether a term such as `JOB=Lawyer` or `AGE_in_[25,30)` is true."""
    if term.startswith("AGE_in_"):
        return people["AGE_BAND"] == term.removeprefix("AGE_in_")
    column, _, value = term.partition("=")
    return people[column] == value


def _numbers(people: Population) -> dict[str, Column]:
    """Return the numeric terms: plain columns, rescaled columns, and products of columns."""
    plain = ("KIDSDRIV", "HOMEKIDS", "YOJ", "TIF", "CLM_FREQ", "MVR_PTS", "CAR_AGE")
    roots = {f"sqrt_{name}_100": np.sqrt(people[name]) / 100 for name in ("INCOME", "HOME_VAL", "BLUEBOOK")}
    claimed, past = people["CLM_FREQ"] > 0, people["OLDCLAIM"] / 10_000
    return {
        **{name: people[name] for name in plain},
        **roots,
        "TRAVTIME_10": people["TRAVTIME"] / 10,
        "ln1p_OLDCLAIM": np.log1p(people["OLDCLAIM"]),
        "OLDCLAIM_10k": past,
        "MVR_PTS>=7": people["MVR_PTS"] >= 7,
        "HAS_CLAIM": claimed,
        "INCOME_ZERO": people["INCOME"] == 0,
        "COMM_x_sqrtINCOME_100": (people["CAR_USE"] == "Commercial") * roots["sqrt_INCOME_100"],
        "RURAL_x_HAS_CLAIM": (people["URBANICITY"] == "Highly Rural/ Rural") * claimed,
        "REVOKED_x_OLDCLAIM_10k": (people["REVOKED"] == "Yes") * past,
    }
