"""What only a person can decide about a draft, one sentence each."""

from collections.abc import Iterator

from ml_platform.drafts.drafting import Choices, has_event_time
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import quoted
from ml_platform.drafts.label_leaks import GIVEN, PART, likely_positive
from ml_platform.drafts.names import is_key_like


def review_notes(profile: Profile, choices: Choices) -> list[str]:
    """Return what a person must check, one sentence each."""
    notes = [*profile.notes, *choices.notes]
    if profile.is_cut:
        notes.append(f"only the first {profile.rows:,} rows were read")
    notes.append(_key_text(choices))
    if choices.labels:
        notes.append(_label_text(profile, choices))
    if scores := {leak: score for leak, score in choices.leaks.items() if score not in (PART, GIVEN)}:
        worst = ", ".join(f"{leak} ({score})" for leak, score in scores.items())
        notes.append(f"leaks: {worst} predict the label alone (1 is always right): are they known only after it?")
    notes.append(_time_text(profile, choices))
    notes += _column_notes(profile, choices)
    texts = [name for name in kept_columns(profile, choices) if profile.guesses[name].column.type == "text"]
    if texts := [name for name in texts if name not in choices.key]:
        notes.append(f"not used as features, because they look like ids or free text: {', '.join(texts)}")
    return notes


def too_many_rejected(profile: Profile, choices: Choices, *, rows: int, most: float) -> str:
    """Return why the draft would reject the file that it was made from: how many rows, which columns, which values.

    Args:
        profile: of the file.
        choices: for the label, which has a value in each training row.
        rows: how many rows would be rejected.
        most: the largest share of them that the draft allows, 0 to 1.
    """
    guesses = {name: profile.guesses[name] for name in kept_columns(profile, choices)}
    reasons = [
        f"{name} is no {guess.column.type} in {guess.misfits.total():,} rows ({quoted(next(iter(guess.misfits)))}, …)"
        for name, guess in guesses.items()
        if guess.misfits
    ]
    reasons += [
        f"{name}, the label, has no value in {guess.missing.total():,} rows"
        for name, guess in guesses.items()
        if name == choices.label and guess.missing
    ]
    because = f": {'; '.join(reasons)}" if reasons else ""
    return (
        f"THE FILE WOULD BE REJECTED: {rows:,} rows are bad, which is more than `max_bad_rows` allows ({most:.0%})"
        f"{because}. Correct the file or the columns, or allow a larger share yourself"
    )


def kept_columns(profile: Profile, choices: Choices) -> list[str]:
    """Return the columns that the draft declares: all but the ignored ones."""
    ignored = ignored_columns(profile, choices)
    return [name for name in profile.guesses if name not in ignored]


def ignored_columns(profile: Profile, choices: Choices) -> list[str]:
    """Return the columns that the draft does not read: those that a person chose, or else the constant ones."""
    return constant_columns(profile, choices) if choices.ignored is None else [*choices.ignored]


def constant_columns(profile: Profile, choices: Choices) -> list[str]:
    """Return the columns with the same value in every row, which the draft ignores."""
    needed = {*choices.key, choices.label, *choices.times[:1]}
    return [name for name, guess in profile.guesses.items() if guess.is_constant and name not in needed]


def _key_text(choices: Choices) -> str:
    if not choices.keys:
        return (
            "entity: no column identifies a row, so each row is an entity of its own. If one does, name it: "
            "entity: {name: customer, key: customer_id}"
        )
    key, *others = choices.keys
    unique = ", ".join(" + ".join(other) for other in others[:4])
    alternatives = f"; also unique, and therefore no features: {unique}" if others else ""
    doubt = "; it is not named like a key: does it identify the same thing in every file?"
    doubt = "" if all(map(is_key_like, key)) else doubt
    return f"entity.key: {' + '.join(key)}{doubt}{alternatives}"


def _label_text(profile: Profile, choices: Choices) -> str:
    label, *others = choices.labels
    guess = profile.guesses[label.column]
    alternatives = f"; others: {', '.join(other.column for other in others[:4])}" if others else ""
    is_binary = label.kind == "classes" and len(guess.counts) == 2
    positive = f"; positive is guessed: {quoted(likely_positive(guess))}" if is_binary else ""
    return f"label.column: {label.column} ({label.describe(guess)}){positive}{alternatives}"


def _time_text(profile: Profile, choices: Choices) -> str:
    if not has_event_time(profile, choices):
        gaps = f"; {', '.join(choices.times)} have gaps" if choices.times else ""
        return f"event_time: none found{gaps}; the time of the upload is used"
    others = f"; other timestamps: {', '.join(choices.times[1:])}" if choices.times[1:] else ""
    meaning = "when a prediction is needed" if choices.labels else "when the row was true and known"
    return f"event_time: {choices.times[0]}: is it the time {meaning}?{others}"


def _column_notes(profile: Profile, choices: Choices) -> Iterator[str]:
    for column, guess in profile.guesses.items():
        yield from (f"columns.{column}: {note}" for note in guess.notes)
        if guess.misfits:
            yield f"columns.{column}: {guess.misfits.total():,} rows would be rejected: {guess.evidence()}"
        if guess.missing and column == choices.label:
            yield f"columns.{column}: {guess.missing.total():,} rows would be rejected: they have no label"
