"""From a file to the draft of its spec: which columns could be key, label and clock, and which give the label away."""

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
_PAIRED = 12  # so many columns are tried in pairs
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
    """What a draft proposes; the first of each is taken, the others are named as alternatives."""

    keys: list[Key]
    times: list[str]
    labels: list[str]
    leaks: dict[str, float]
    notes: list[str]


def choose(seen: Profile, *, is_table: bool, label: str | None = None) -> Choices:
    """Return what the columns could be.

    Args:
        seen: the file's profile.
        is_table: whether there is no label to be looked for.
        label: the column that is the label, if that is known.

    Raises:
        ConfigurationError: no column can be the label, or none the key.
    """
    notes: list[str] = []
    times = _times(seen)
    labels = [] if is_table else _labels(seen, label)
    keys = _keys(seen, times, {*labels[:1]}, notes)
    leaks = suspected_leaks(*_learnable(seen, labels[0], keys[0])) if labels else {}
    return Choices(keys, times, labels, leaks, notes)


def words(name: str) -> list[str]:
    """Return the words of a name: customerID and CUSTOMER_ID have the words customer and id."""
    return re.findall("[a-z]+", re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def is_key_like(name: str) -> bool:
    """Return whether a name sounds like that of a key, such as customer_id."""
    return bool(KEY_WORDS.intersection(words(name))) or name.lower().endswith(("id", "nr"))


def _labels(seen: Profile, label: str | None) -> list[str]:
    if label is not None:
        found = [name for name, known in seen.guesses.items() if label in (name, known.header)]
        if not found or not _can_be_label(seen.guesses[found[0]]):
            raise ConfigurationError(
                f"{seen.file}: --label {label!r}: no column with 2 to {MOST_CLASSES} different values, such as: "
                f"{', '.join(name for name, known in seen.guesses.items() if _can_be_label(known)) or '(none)'}"
            )
        return found[:1]
    scores = {name: _label_score(seen, name) for name, known in seen.guesses.items() if _can_be_label(known)}
    if not scores:
        raise ConfigurationError(
            f"{seen.file}: no column can be the label: none has 2 to {MOST_CLASSES} different values, each in several "
            "rows; for a feature table, which has no label, say --table"
        )
    return sorted(scores, key=lambda name: -scores[name])


def _can_be_label(known: Guess) -> bool:
    several = 2 <= len(known.counts) <= MOST_CLASSES and min(known.counts.values()) > 1
    return several and known.column.type in ("integer", "category", "boolean") and not known.misfits


def _label_score(seen: Profile, name: str) -> float:
    known, order = seen.guesses[name], list(seen.guesses)
    named = 6.0 if _LABEL_WORDS.intersection(words(name)) else 0.0
    position = {order[-1]: 2.0, order[1 % len(order)]: 1.0}.get(name, 0.0)
    rarest = min(known.counts.values()) / known.present
    binary = 2.0 + (rarest < 0.4) if len(known.counts) == 2 else 0.0
    whole = 1.0 if not known.missing else -2.0
    return named + position + binary + whole


def positive(known: Guess) -> str:
    """Return which of two label values is probably the one to be found: a yes, or the rarer."""
    yes = [text for text in known.counts if text.lower() in _YES]
    return yes[0] if len(yes) == 1 else min(known.counts, key=lambda text: known.counts[text])


def _times(seen: Profile) -> list[str]:
    """Return the columns that could be the event time, the likeliest first."""
    scores: dict[str, int] = {}
    for name, known in seen.guesses.items():
        if known.column.type == "timestamp" and not _BIRTH_WORDS.intersection(words(name)):
            gaps = known.missing.total() + known.misfits.total()
            scores[name] = 2 * bool(_TIME_WORDS.intersection(words(name))) - 5 * bool(gaps)
    return sorted(scores, key=lambda name: -scores[name])


def has_event_time(seen: Profile, choices: Choices) -> bool:
    """Return whether the first of the times has a value in every row, as an event time must."""
    return bool(choices.times) and not seen.guesses[choices.times[0]].missing


def _keys(seen: Profile, times: list[str], others: set[str], notes: list[str]) -> list[Key]:
    possible = [n for n, known in seen.guesses.items() if n not in others and _can_be_key(known)]
    if not possible:
        raise ConfigurationError(
            f"{seen.file}: no column can be a key: none that is always filled is of {', '.join(KEY_TYPES)}; "
            "add a column that numbers the rows"
        )
    possible.sort(key=lambda n: (-is_key_like(n), -len(seen.guesses[n].counts)))
    singles: list[Key] = [(name,) for name in possible]
    pairs: list[Key] = list(combinations(possible[:_PAIRED], 2))
    full_times = [name for name in times if not seen.guesses[name].missing][:1]
    unique = _unique_with(seen, [], singles)
    if named := [key for key in unique if is_key_like(key[0])]:
        return named + [key for key in unique if key not in named]
    named = [key for key in singles if is_key_like(key[0])]
    tries = [(full_times, named), ([], unique), ([], pairs), (full_times, singles), (full_times, pairs)]
    for with_time, keys in tries:
        if found := _unique_with(seen, with_time, keys):
            if with_time:
                notes.append(f"the key is unique only together with {with_time[0]}: an entity has several rows")
            return found
    best = max(singles + pairs, key=lambda key: _different(seen, key))
    shared = seen.rows - _different(seen, best)
    notes.append(f"NO KEY FOUND: {shared:,} rows share theirs, and are not loaded; add a column that numbers the rows")
    return [best]


def _can_be_key(known: Guess) -> bool:
    return known.column.type in KEY_TYPES and not known.missing and len(known.counts) > 1


def _unique_with(seen: Profile, times: Sequence[str], keys: Sequence[Key]) -> list[Key]:
    return [key for key in keys if _different(seen, (*key, *times)) == seen.rows]


def _different(seen: Profile, key: Key) -> int:
    return len(set(zip(*(seen.cells[name] for name in key), strict=True)))


def _learnable(seen: Profile, label: str, key: Key) -> tuple[pd.DataFrame, pd.Series]:
    """Return what could give the label away, and the label, as `suspected_leaks` takes them."""
    known = seen.guesses[label]
    texts = pd.Series([cell.strip() for cell in seen.cells[label]])
    rows = texts.isin(set(known.counts))
    features = {name: _as_feature(seen, name) for name in seen.guesses if name not in (label, *key)}
    return pd.DataFrame(features, index=texts.index)[rows], texts[rows]


def _as_feature(seen: Profile, name: str) -> pd.Series:
    kind, values = seen.guesses[name].column.type, seen.values(name)
    if kind == "timestamp":
        values = values.cast(pa.int64())
    is_number = kind in (*NUMERIC_TYPES, "boolean", "timestamp")
    found: pd.Series = values.cast(pa.float64()).to_pandas() if is_number else values.to_pandas().astype(object)
    return found
