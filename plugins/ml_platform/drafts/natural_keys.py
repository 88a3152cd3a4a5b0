"""Find the natural key of a file: columns that name a row or its entity. A combination of features is none."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess, quoted
from ml_platform.drafts.names import is_key_like, is_period
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import TEXT_TYPES
from ml_platform.specs.spec import KEY_TYPES

Key = tuple[str, ...]
_PAIRED_COLUMNS = 12  # pairs are tried among these many columns only
_LONGEST = 60  # characters on average; longer texts are sentences, not names
_PANEL = 0.5  # of all pairs of entity and time, the least share that has a row
_SAMPLED_ROWS = 100  # in a smaller file, numbers that rise from row to row may be sorted measurements
_CODE = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9_.:#/-]{0,63}")


def natural_keys(profile: Profile, time: str | None, others: set[str]) -> list[Key]:
    """Return the natural keys of a file, the most likely first; an empty list if its rows have none.

    A key is unique over all rows, alone or together with the event time, and looks like an identifier: by its name, by
    its position, or by the shape of its texts.

    Args:
        profile: of the file.
        time: the event time, which has a value in every row; None if there is none.
        others: columns that are no key, such as the label.
    """
    possible = [name for name, guess in profile.guesses.items() if name not in others and _can_be_key(guess)]
    named = [name for name in possible if is_key_like(name)]
    singles = [*named, *(name for name in possible if name not in named and _looks_like_key(profile, name))]
    if unique := [(name,) for name in singles if profile.guesses[name].is_unique]:
        return [*unique]
    if time and not is_unique(profile, (time,)):
        with_time = [*named, *(name for name in possible if name not in named and _is_entity(profile, name, time))]
        if keys := [(name,) for name in with_time if is_unique(profile, (name, time))]:
            return [*keys]
    pairs = [*combinations(named[:_PAIRED_COLUMNS], 2)]
    return [pair for pair in pairs if is_unique(profile, (*pair, *([time] if time else [])))]


def possible_keys(profile: Profile) -> list[str]:
    """Return the columns that can be a key, alone or with others: those with a value in every row."""
    return [name for name, guess in profile.guesses.items() if _can_be_key(guess)]


def given_key(profile: Profile, names: Sequence[str]) -> Key:
    """Return the columns that a person named as the key, by their names or their headers.

    Raises:
        ConfigurationError: a column is not there, has gaps, or is of a type that no key has.
    """
    by_name = {guess.header: name for name, guess in profile.guesses.items()} | {n: n for n in profile.guesses}
    possible = possible_keys(profile)
    for name in names:
        if by_name.get(name) not in possible:
            raise ConfigurationError(
                f"{profile.file}: --key {name!r} is not a column of type {', '.join(KEY_TYPES)} with a value in every "
                f"row; allowed: {', '.join(possible) or '(none)'}"
            )
    return tuple(by_name[name] for name in names)


def key_notes(profile: Profile, key: Key, time: str | None) -> Iterator[str]:
    """Yield what a person should know about the key, or about why there is none, one sentence each."""
    if not key:
        for name in filter(is_key_like, profile.guesses):
            guess = profile.guesses[name]
            if _can_be_key(guess) and profile.rows > len(guess.counts) > profile.rows / 2:
                most = guess.counts.most_common(1)[0]
                yield (
                    f"{name} is named like a key, but {profile.rows - len(guess.counts):,} rows repeat a value of it, "
                    f"such as {quoted(most[0])} in {most[1]:,} rows"
                )
        return
    duplicates = profile.rows - _count_distinct(profile, (*key, *([time] if time else [])))
    if duplicates:
        yield f"{duplicates:,} rows repeat the key of another row and are not loaded"
    elif time and not is_unique(profile, key):
        yield f"the key is unique only together with {time}: an entity has several rows"


def is_unique(profile: Profile, columns: Sequence[str]) -> bool:
    """Return whether no two rows have the same texts in these columns."""
    return _count_distinct(profile, columns) == profile.rows


def _count_distinct(profile: Profile, columns: Sequence[str]) -> int:
    return len(set(zip(*(profile.cells[name] for name in columns), strict=True)))


def _can_be_key(guess: Guess) -> bool:
    return guess.column.type in KEY_TYPES and not guess.missing and not guess.misfits and len(guess.counts) > 1


def _looks_like_key(profile: Profile, name: str) -> bool:
    """Return whether a column that is not named like a key looks like one: a code, or the first column names rows."""
    guess, is_first = profile.guesses[name], name == next(iter(profile.guesses))
    if guess.column.type in TEXT_TYPES:
        is_name = sum(map(len, guess.counts)) <= _LONGEST * len(guess.counts)
        return _has_codes(guess) or (is_first and is_name)
    return is_first and not is_period(name) and _numbers_rows(guess)


def _is_entity(profile: Profile, name: str, time: str) -> bool:
    """Return whether a text names an entity that has a row at many of the times, such as the symbol of a stock."""
    guess = profile.guesses[name]
    if guess.column.type not in TEXT_TYPES:
        return False
    entities, times = len(guess.counts), len(profile.guesses[time].counts)
    return _has_codes(guess) or profile.rows >= _PANEL * entities * times


def _has_codes(guess: Guess) -> bool:
    codes = sum(_CODE.fullmatch(text) is not None for text in guess.counts)
    return len(guess.counts) > 20 and codes >= 0.9 * len(guess.counts)


def _numbers_rows(guess: Guess) -> bool:
    """Return whether whole numbers count up from 0 or 1, or rise from row to row, as in a part of a larger table."""
    numbers = [int(text.partition(".")[0]) for text in guess.counts]  # in the order of the rows, if no two are equal
    counts_up = max(numbers) - min(numbers) == len(numbers) - 1 and min(numbers) in (0, 1)
    return counts_up or (len(numbers) >= _SAMPLED_ROWS and all(one < two for one, two in pairwise(numbers)))
