"""Find what columns say about each other: factors of an experiment, flags that cut a number, estimates, series."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess
from ml_platform.drafts.names import is_period, is_usual_input, words
from ml_platform.specs.parts import NUMERIC_TYPES

MOST_LEVELS = 20
_MOST_COLUMNS = 60  # relations are looked for among these many columns only
_FIRST_ROWS = 1000  # they rule out nearly all pairs
_FEWEST_ROWS = 20  # in a shorter file a flag cuts a number by chance
_SERIES_LETTERS = 5  # the fewest letters of a name that differs from others of a series in its last one
_ESTIMATES = ("estimated", "predicted", "expected", "forecast", "fitted", "pred", "est")


def design_factors(profile: Profile) -> set[str]:
    """Return the factors of a designed experiment: columns of which all combinations of values occur equally often.

    An experimenter sets them, so none is a likely label. A balanced column alone may be the label.
    """
    balanced = [name for name, guess in profile.guesses.items() if _is_balanced(guess)][:_MOST_COLUMNS]
    crossed = [pair for pair in combinations(balanced, 2) if _is_crossed(profile, *pair)]
    return {name for pair in crossed for name in pair}


def _is_crossed(profile: Profile, one: str, two: str) -> bool:
    times = Counter(zip(profile.cells[one], profile.cells[two], strict=True))
    levels = len(profile.guesses[one].counts) * len(profile.guesses[two].counts)
    return len(times) == levels and len(set(times.values())) == 1


def _is_balanced(guess: Guess) -> bool:
    """Return whether a column has a few different values, all equally often."""
    is_class = guess.column.type in ("category", "boolean", "integer")
    is_whole = not guess.missing and not guess.misfits
    times = set(guess.counts.values())
    return is_class and is_whole and 2 <= len(guess.counts) <= MOST_LEVELS and len(times) == 1 and min(times) > 1


def cut_numbers(profile: Profile) -> dict[str, str]:
    """Return the pairs of a flag and the number that it cuts at one value, such as `late` and `delay`, in both ways.

    A number is cut in two because one of the two is to be predicted. Left out are flags of the least or the greatest
    value, such as `smokes` beside `cigarettes`, inputs, periods, and numbers that rise from row to row, which a file
    that is sorted by a flag would seem to cut.
    """
    candidates = [name for name in profile.guesses if not is_period(name) and not is_usual_input(name)]
    whole = [name for name in candidates if _has_every_value(profile.guesses[name])]
    flags = [name for name in whole if len(profile.guesses[name].counts) == 2][:_MOST_COLUMNS]
    numbers = [
        name
        for name in whole
        if profile.guesses[name].column.type in NUMERIC_TYPES and len(profile.guesses[name].counts) > MOST_LEVELS
    ][:_MOST_COLUMNS]
    if profile.rows < _FEWEST_ROWS or not flags:
        return {}
    values = {name: number for name in numbers if (np.diff(number := numbers_of(profile, name)) < 0).any()}
    found: dict[str, str] = {}
    for flag in flags:
        cells = np.array(profile.cells[flag])
        is_set = cells == cells[0]
        for name, number in values.items():
            if _is_cut(number[:_FIRST_ROWS], is_set[:_FIRST_ROWS], is_sample=True) and _is_cut(number, is_set):
                found |= {flag: name, name: flag}
    return found


def _has_every_value(guess: Guess) -> bool:
    return not guess.missing and not guess.misfits


def _is_cut(number: NDArray[np.float64], is_set: NDArray[np.bool_], *, is_sample: bool = False) -> bool:
    one, two = number[is_set], number[~is_set]
    if not len(one) or not len(two):
        return is_sample
    low, high = (one, two) if one.max() < two.max() else (two, one)
    return bool(low.max() < high.min()) and (is_sample or (low.min() < low.max() and high.min() < high.max()))


def estimated_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the columns of which another is an estimate by its name, each with it: `perf` with `estperf`."""
    by_letters = {"".join(words(name)): name for name in names}
    found: dict[str, str] = {}
    for letters, name in by_letters.items():
        for prefix in _ESTIMATES:
            if letters.startswith(prefix) and (other := by_letters.get(letters.removeprefix(prefix))):
                found.setdefault(other, name)
    return found


def series(names: Sequence[str]) -> set[str]:
    """Return the columns that are one of several alike: `type1` and `type2`, or `healthg`, `healthf` and `healthp`."""
    letters = {name: "".join(words(name)) for name in names}
    alike = Counter(letters.values())
    stems = Counter(text[:-1] for text in letters.values() if len(text) >= _SERIES_LETTERS)
    return {n for n, text in letters.items() if alike[text] > 1 or stems[text[:-1]] > 2}


def numbers_of(profile: Profile, name: str) -> NDArray[np.float64]:
    """Return the numbers of a column without gaps, shape (rows,)."""
    return np.asarray(profile.values(name).cast(pa.float64()).to_numpy(zero_copy_only=False), "float64")
