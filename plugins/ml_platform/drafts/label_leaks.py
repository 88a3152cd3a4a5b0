"""Find columns that are known only with the label: they predict it alone, or the label is computed from them."""

from collections.abc import Collection, Iterator
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.drafts.column_relations import numbers_of
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess
from ml_platform.specs.parts import NUMERIC_TYPES
from ml_platform.training.leakage import suspected_leaks

_YES = {"1", "1.0", "yes", "true", "y", "t", "positive", "pos", "bad", "churned", "fraud", "late"}
PART = "a part of it"
GIVEN = "a person says so"
_BINS = 5  # a number is predicted as the fifth of the rows that it belongs to
_AGREE = 0.95  # the least share of rows in which a flag is what its parts say
_FIRST_ROWS = 50
_MOST_COLUMNS = 60  # relations are looked for among these many columns only


def likely_positive(guess: Guess) -> str:
    """Return the likely positive class of two: the one that means yes, or else the rarer one."""
    yes = [text for text in guess.counts if text.lower() in _YES]
    return yes[0] if len(yes) == 1 else min(guess.counts, key=lambda text: guess.counts[text])


def label_leaks(profile: Profile, label: str, *, is_number: bool, others: Collection[str]) -> dict[str, str]:
    """Return the columns that may be known only with the label, each with the evidence.

    A column that predicts the label alone is one (`suspected_leaks`; a number is cut into fifths), and so are the flags
    of which the label is the *or*, and the two numbers of which it is the sum.

    Args:
        profile: of the file.
        label: the label's column.
        is_number: whether the label is a number, and not a class.
        others: columns that are none, such as the key.
    """
    features, labels = _learnable(profile, label, others)
    if is_number:
        numbers = labels.astype("float64")
        labels = pd.qcut(numbers.rank(method="average"), _BINS, labels=False, duplicates="drop").astype("int64")
    found = {name: f"{score:.2f}" for name, score in suspected_leaks(features, labels.to_numpy()).items()}
    parts = sum_parts(profile).get(label, ()) if is_number else any_of_parts(profile).get(label, ())
    return found | {name: PART for name in parts if name not in found and name not in others}


def any_of_parts(profile: Profile) -> dict[str, list[str]]:
    """Return, for each flag that is set where any of two or more other flags is set, those flags.

    A machine that failed by heat or by wear has failed: the flag of the failure is the likely label.
    """
    flags = dict(_flags(profile))
    found: dict[str, list[str]] = {}
    for name, flag in flags.items():
        parts = [
            other
            for other, part in flags.items()
            if other != name and part.sum() < flag.sum() and part[flag].sum() >= _AGREE * part.sum()
        ]
        either = np.logical_or.reduce([flags[part] for part in parts]) if len(parts) > 1 else np.zeros_like(flag)
        if flag.mean() < 0.5 and either[flag].sum() >= _AGREE * flag.sum():
            found[name] = parts
    return found


def _flags(profile: Profile) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    two = [n for n, guess in profile.guesses.items() if len(guess.counts) == 2 and not guess.missing]
    for name in two[:_MOST_COLUMNS]:
        guess = profile.guesses[name]
        if guess.column.type in ("integer", "boolean") and any(text.lower() in _YES for text in guess.counts):
            positive = likely_positive(guess)
            yield name, np.array([cell.strip() == positive for cell in profile.cells[name]])


def sum_parts(profile: Profile) -> dict[str, tuple[str, str]]:
    """Return, for each number that is the sum of two others in every row, those two."""
    whole = [
        name
        for name, guess in profile.guesses.items()
        if guess.column.type in NUMERIC_TYPES and not (guess.missing or guess.misfits) and len(guess.counts) > _BINS
    ]
    names = [name for name in whole[:_MOST_COLUMNS] if (numbers_of(profile, name) >= 0).all()]
    if len(names) < 3:
        return {}
    numbers = np.array([numbers_of(profile, name) for name in names])
    first = numbers[:, :_FIRST_ROWS]  # they decide for nearly all columns
    found: dict[str, tuple[str, str]] = {}
    for one, two in combinations(range(len(names)), 2):
        for total in np.flatnonzero(np.isclose(first[one] + first[two], first).all(axis=1)):
            if total not in (one, two) and np.allclose(numbers[one] + numbers[two], numbers[total]):
                found.setdefault(names[total], (names[one], names[two]))
    return found


def _learnable(profile: Profile, label: str, others: Collection[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the columns that could leak the label, and the label, as `suspected_leaks` takes them."""
    guess = profile.guesses[label]
    if guess.column.type in NUMERIC_TYPES:
        labels = _as_feature(profile, label)
        rows = labels.notna()
    else:
        labels = pd.Series([cell.strip() for cell in profile.cells[label]])
        rows = labels.isin(set(guess.counts))
    features = {name: _as_feature(profile, name) for name in profile.guesses if name not in (label, *others)}
    return pd.DataFrame(features, index=labels.index)[rows], labels[rows]


def _as_feature(profile: Profile, name: str) -> pd.Series:
    kind, values = profile.guesses[name].column.type, profile.values(name)
    if kind == "timestamp":
        values = values.cast(pa.int64())
    is_number = kind in (*NUMERIC_TYPES, "boolean", "timestamp")
    series: pd.Series = values.cast(pa.float64()).to_pandas() if is_number else values.to_pandas().astype(object)
    return series
