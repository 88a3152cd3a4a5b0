"""Choose which columns of a file are key, label and event time, and which of them leak the label."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.label_candidates import (
    LabelCandidate,
    given_label,
    label_candidates,
    plausible_labels,
    question,
)
from ml_platform.drafts.label_leaks import PART, label_leaks
from ml_platform.drafts.names import words
from ml_platform.drafts.natural_keys import Key, given_key, key_notes, natural_keys
from ml_platform.exceptions import ConfigurationError

_TIME_WORDS = {"event", "time", "timestamp", "at", "date", "datum", "day", "when", "ts", "datetime", "created"}
_LATER_WORDS = {"end", "ended", "closed", "cancelled", "canceled", "updated", "modified", "deleted", "expires", "until"}
_BIRTH_WORDS = {"birth", "born", "dob", "birthday", "birthdate", "geburtsdatum"}


@dataclass(frozen=True)
class Choices:
    """What a draft proposes; it uses the first of each list and names the others as alternatives.

    Attributes:
        keys: columns that identify a row or its entity, alone or together; empty if the rows have no key.
        times: timestamp columns that could be the event time.
        labels: the label, and other columns that could be; empty for a feature table.
        leaks: `label_leaks` of the first label, each with the evidence.
        notes: what a person must check, one sentence each.
        ignored: columns that are not read, as a person chose them; None: those with the same value in every row.
        sensitive: columns by whose values the model is judged.
    """

    keys: list[Key]
    times: list[str]
    labels: list[LabelCandidate]
    leaks: dict[str, str]
    notes: list[str]
    ignored: tuple[str, ...] | None = None
    sensitive: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """The columns of the key; () if the rows have none."""
        return self.keys[0] if self.keys else ()

    @property
    def label(self) -> str | None:
        """The label's column; None for a feature table."""
        return self.labels[0].column if self.labels else None


def choose(
    profile: Profile,
    *,
    is_table: bool,
    label: str | None = None,
    key: Sequence[str] | None = None,
    times: Sequence[str] | None = None,
    title: str = "",
) -> Choices:
    """Choose key, event time, label and leaks.

    Args:
        profile: of the file.
        is_table: whether it is a feature table, which has no label.
        label: the label's column; None to guess it.
        key: the key's columns, () for none; None to guess them.
        times: the event time, () for none; None to guess it.
        title: the name of the data set, which may say what is predicted.

    Raises:
        ConfigurationError: no column can be the label, a person must choose it, or a feature table has no key.
    """
    times = event_times(profile) if times is None else [*times]
    given = None if is_table or label is None else given_label(profile, label)
    time = times[0] if times and not profile.guesses[times[0]].missing else None
    others = {given.column} if given else set()
    keys = natural_keys(profile, time, others) if key is None else [given_key(profile, key)] if key else []
    if is_table and not keys:
        raise ConfigurationError(
            f"{profile.file}: no column identifies a row or, together with an event time, its entity. A feature table "
            "is joined by its key: name its columns with --key"
        )
    first, unique = keys[0] if keys else (), _key_columns(keys)
    labels = [] if is_table else _labels(profile, given, {*unique, *times}, title)
    leaks = (
        label_leaks(profile, labels[0].column, is_number=labels[0].kind == "number", others=unique) if labels else {}
    )
    return Choices(keys, times, labels, leaks, [*key_notes(profile, first, time), *_part_notes(labels, leaks)])


def possible_labels(profile: Profile, title: str) -> tuple[list[LabelCandidate], list[LabelCandidate]]:
    """Return the columns that could be the label, the most likely first; and the plausible ones among them.

    Raises:
        ConfigurationError: no column can be the label.
    """
    times = event_times(profile)
    time = times[0] if times and not profile.guesses[times[0]].missing else None
    unique = _key_columns(natural_keys(profile, time, set()))
    candidates = label_candidates(profile, {*unique, *times}, title)
    return candidates, plausible_labels(candidates)


def _key_columns(keys: Sequence[Key]) -> set[str]:
    return {name for one in keys for name in one if len(one) == 1 or one == keys[0]}


def _labels(profile: Profile, given: LabelCandidate | None, others: set[str], title: str) -> list[LabelCandidate]:
    if given:
        return [given]
    candidates = label_candidates(profile, others, title)
    plausible = plausible_labels(candidates)
    if len(plausible) > 1:
        raise ConfigurationError(question(profile, plausible))
    return [*plausible, *(other for other in candidates if other not in plausible and other.score > 0)]


def _part_notes(labels: Sequence[LabelCandidate], leaks: dict[str, str]) -> Iterator[str]:
    if parts := [name for name, evidence in leaks.items() if evidence == PART]:
        yield f"leaks: {labels[0].column} is made of {', '.join(parts)}: are they known only with it?"


def event_times(profile: Profile) -> list[str]:
    """Return the columns that could be the event time, the most likely first."""
    scores: dict[str, int] = {}
    for name, guess in profile.guesses.items():
        if guess.column.type == "timestamp" and not _BIRTH_WORDS.intersection(words(name)):
            gaps = guess.missing.total() + guess.misfits.total()
            is_named, is_later = (bool(some.intersection(words(name))) for some in (_TIME_WORDS, _LATER_WORDS))
            scores[name] = 2 * is_named - 3 * is_later - 5 * bool(gaps)
    return sorted(scores, key=lambda name: -scores[name])


def has_event_time(profile: Profile, choices: Choices) -> bool:
    """Return whether the first of `choices.times` has a value in every row, as an event time must."""
    return bool(choices.times) and not profile.guesses[choices.times[0]].missing
