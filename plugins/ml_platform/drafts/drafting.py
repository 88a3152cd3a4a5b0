"""Choose which columns of a file could be key, label and event time, and which of them leak the label."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd
import pyarrow as pa

from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import NUMERIC_TYPES
from ml_platform.specs.spec import KEY_TYPES
from ml_platform.training.leakage import suspected_leaks

MOST_CLASSES = 20
Key = tuple[str, ...]
_PAIRED_COLUMNS = 12  # pairs of keys are tried among these many columns only
KEY_WORDS = {"id", "ids", "key", "index", "idx", "uuid", "guid", "nr", "no", "number", "num", "code"}
_LABEL_WORDS = {
    "target", "label", "class", "churn", "churned", "species", "default", "outcome", "y", "survived", "fraud", "late",
    "response", "converted", "diagnosis", "attrition", "result", "bad", "risk",
}  # fmt: skip
_TIME_WORDS = {"event", "time", "timestamp", "at", "date", "datum", "day", "when", "ts", "datetime", "created"}
_BIRTH_WORDS = {"birth", "born", "dob", "birthday", "birthdate", "geburtsdatum"}
_YES = {"1", "1.0", "yes", "true", "y", "t", "positive", "pos", "bad", "churned", "fraud", "late"}


@dataclass(frozen=True)
class Choices:
    """What a draft proposes; it uses the first of each list and names the others as alternatives.

    Attributes:
        keys: columns that identify a row, alone or together.
        times: timestamp columns that could be the event time.
        labels: columns that could be the label; empty for a feature table.
        leaks: `suspected_leaks` of the first label.
        notes: what a person must check, one sentence each.
    """

    keys: list[Key]
    times: list[str]
    labels: list[str]
    leaks: dict[str, float]
    notes: list[str]


def choose(profile: Profile, *, is_table: bool, label: str | None = None) -> Choices:
    """Choose key, event time, label and leaks.

    Args:
        profile: of the file.
        is_table: whether it is a feature table, which has no label.
        label: the label's column; None to guess it.

    Raises:
        ConfigurationError: no column can be the label, or no column can be the key.
    """
    notes: list[str] = []
    times = _times(profile)
    labels = [] if is_table else _labels(profile, label)
    keys = _keys(profile, times, {*labels[:1]}, notes)
    leaks = suspected_leaks(*_learnable(profile, labels[0], keys[0])) if labels else {}
    return Choices(keys, times, labels, leaks, notes)


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: customer and id for customerID and CUSTOMER_ID."""
    return re.findall("[a-z]+", re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def is_key_like(name: str) -> bool:
    """Return whether a column is named like a key, such as customer_id."""
    return bool(KEY_WORDS.intersection(words(name))) or name.lower().endswith(("id", "nr"))


def _labels(profile: Profile, label: str | None) -> list[str]:
    if label is not None:
        matches = [name for name, guess in profile.guesses.items() if label in (name, guess.header)]
        if not matches or not _can_be_label(profile.guesses[matches[0]]):
            possible = ", ".join(name for name, guess in profile.guesses.items() if _can_be_label(guess)) or "(none)"
            raise ConfigurationError(
                f"{profile.file}: --label {label!r} is not a column with 2 to {MOST_CLASSES} different values; "
                f"allowed: {possible}"
            )
        return matches[:1]
    scores = {name: _label_score(profile, name) for name, guess in profile.guesses.items() if _can_be_label(guess)}
    if not scores:
        raise ConfigurationError(
            f"{profile.file}: no column can be the label: none has 2 to {MOST_CLASSES} different values, each in "
            "several rows; a feature table, which has no label, needs --table"
        )
    return sorted(scores, key=lambda name: -scores[name])


def _can_be_label(guess: Guess) -> bool:
    several = 2 <= len(guess.counts) <= MOST_CLASSES and min(guess.counts.values()) > 1
    return several and guess.column.type in ("integer", "category", "boolean") and not guess.misfits


def _label_score(profile: Profile, name: str) -> float:
    guess, order = profile.guesses[name], list(profile.guesses)
    named = 6.0 if _LABEL_WORDS.intersection(words(name)) else 0.0
    position = {order[-1]: 2.0, order[1 % len(order)]: 1.0}.get(name, 0.0)
    rarest = min(guess.counts.values()) / guess.present
    binary = 2.0 + (rarest < 0.4) if len(guess.counts) == 2 else 0.0
    whole = 1.0 if not guess.missing else -2.0
    return named + position + binary + whole


def likely_positive(guess: Guess) -> str:
    """Return the likely positive class of two: the one that means yes, or else the rarer one."""
    yes = [text for text in guess.counts if text.lower() in _YES]
    return yes[0] if len(yes) == 1 else min(guess.counts, key=lambda text: guess.counts[text])


def _times(profile: Profile) -> list[str]:
    """Return the columns that could be the event time, the most likely first."""
    scores: dict[str, int] = {}
    for name, guess in profile.guesses.items():
        if guess.column.type == "timestamp" and not _BIRTH_WORDS.intersection(words(name)):
            gaps = guess.missing.total() + guess.misfits.total()
            scores[name] = 2 * bool(_TIME_WORDS.intersection(words(name))) - 5 * bool(gaps)
    return sorted(scores, key=lambda name: -scores[name])


def has_event_time(profile: Profile, choices: Choices) -> bool:
    """Return whether the first of `choices.times` has a value in every row, as an event time must."""
    return bool(choices.times) and not profile.guesses[choices.times[0]].missing


def _keys(profile: Profile, times: list[str], others: set[str], notes: list[str]) -> list[Key]:
    possible = [n for n, guess in profile.guesses.items() if n not in others and _can_be_key(guess)]
    if not possible:
        raise ConfigurationError(
            f"{profile.file}: no column can be the key: none of type {', '.join(KEY_TYPES)} has a value in every row; "
            "add a column that numbers the rows"
        )
    possible.sort(key=lambda n: (-is_key_like(n), -len(profile.guesses[n].counts)))
    singles: list[Key] = [(name,) for name in possible]
    pairs: list[Key] = list(combinations(possible[:_PAIRED_COLUMNS], 2))
    full_times = [name for name in times if not profile.guesses[name].missing][:1]
    unique = _unique_with(profile, [], singles)
    if named := [key for key in unique if is_key_like(key[0])]:
        return named + [key for key in unique if key not in named]
    named = [key for key in singles if is_key_like(key[0])]
    tries = [(full_times, named), ([], unique), ([], pairs), (full_times, singles), (full_times, pairs)]
    for with_time, keys in tries:
        if matches := _unique_with(profile, with_time, keys):
            if with_time:
                notes.append(f"the key is unique only together with {with_time[0]}: an entity has several rows")
            return matches
    best = max(singles + pairs, key=lambda key: _count_distinct(profile, key))
    duplicates = profile.rows - _count_distinct(profile, best)
    notes.append(
        f"NO KEY FOUND: {duplicates:,} rows repeat the key of another and are not loaded; "
        "add a column that numbers the rows"
    )
    return [best]


def _can_be_key(guess: Guess) -> bool:
    return guess.column.type in KEY_TYPES and not guess.missing and len(guess.counts) > 1


def _unique_with(profile: Profile, times: Sequence[str], keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if _count_distinct(profile, (*key, *times)) == profile.rows]


def _count_distinct(profile: Profile, key: Key) -> int:
    return len(set(zip(*(profile.cells[name] for name in key), strict=True)))


def _learnable(profile: Profile, label: str, key: Key) -> tuple[pd.DataFrame, pd.Series]:
    """Return the columns that could leak the label, and the label, as `suspected_leaks` takes them."""
    guess = profile.guesses[label]
    texts = pd.Series([cell.strip() for cell in profile.cells[label]])
    rows = texts.isin(set(guess.counts))
    features = {name: _as_feature(profile, name) for name in profile.guesses if name not in (label, *key)}
    return pd.DataFrame(features, index=texts.index)[rows], texts[rows]


def _as_feature(profile: Profile, name: str) -> pd.Series:
    kind, values = profile.guesses[name].column.type, profile.values(name)
    if kind == "timestamp":
        values = values.cast(pa.int64())
    is_number = kind in (*NUMERIC_TYPES, "boolean", "timestamp")
    series: pd.Series = values.cast(pa.float64()).to_pandas() if is_number else values.to_pandas().astype(object)
    return series
