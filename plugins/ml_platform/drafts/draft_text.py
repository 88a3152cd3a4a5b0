"""The draft of a spec as YAML: each guess has its evidence as a comment; the top lists what a person must check."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import yaml

from ml_platform.drafts.drafting import Choices, has_event_time, is_key_like, likely_positive
from ml_platform.drafts.file_profile import PROFILED_ROWS, Profile
from ml_platform.drafts.guessing import Guess, quoted
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import FEATURE_TYPES

SCHEMA_LINE = "# yaml-language-server: $schema=schema.json"
_PLAIN = re.compile(r"[^\W\d][\w ()/%.-]*(?<! )")
_YAML_WORDS = ("true", "false", "null")


def scalar(text: str, kind: str = "category") -> str:
    """Return a text of the data as a YAML scalar that is parsed back to the same text; an integer is not quoted."""
    if kind == "integer" and re.fullmatch("-?(0|[1-9][0-9]*)", text):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def review_notes(profile: Profile, choices: Choices) -> list[str]:
    """Return what only a person can decide, one sentence each."""
    notes = [*profile.notes, *choices.notes]
    if profile.is_cut:
        notes.append(f"only the first {PROFILED_ROWS:,} rows were read")
    notes.append(_key_text(profile, choices))
    if choices.labels:
        notes.append(_label_text(profile, choices))
    if choices.leaks:
        worst = ", ".join(f"{leak} ({score:.2f})" for leak, score in choices.leaks.items())
        notes.append(f"leaks: {worst} predict the label alone (1 is always right): are they known only after it?")
    notes.append(_time_text(profile, choices))
    for column, guess in profile.guesses.items():
        notes += [f"columns.{column}: {note}" for note in guess.notes]
        if guess.misfits:
            notes.append(f"columns.{column}: {guess.misfits.total():,} rows would be rejected: {guess.evidence()}")
    texts = [name for name in _kept(profile, choices) if profile.guesses[name].column.type == "text"]
    if texts := [name for name in texts if name not in choices.keys[0]]:
        notes.append(f"not used as features, because they look like ids or free text: {', '.join(texts)}")
    return notes


def _key_text(profile: Profile, choices: Choices) -> str:
    key, *others = choices.keys
    alternatives = f"; also unique: {', '.join(' + '.join(other) for other in others[:4])}" if others else ""
    doubt = "; it is not named like a key: does it identify the same thing in every file?"
    doubt = "" if all(map(is_key_like, key)) else doubt
    return f"entity.key: {' + '.join(key)}{doubt}{alternatives}"


def _label_text(profile: Profile, choices: Choices) -> str:
    label, *others = choices.labels
    guess = profile.guesses[label]
    counts = ", ".join(f"{quoted(text)} {n / guess.present:.1%}" for text, n in guess.counts.most_common(5))
    alternatives = f"; other columns with few values: {', '.join(others[:4])}" if others else ""
    positive = f"; positive is guessed: {quoted(likely_positive(guess))}" if len(guess.counts) == 2 else ""
    return f"label.column: {label} ({counts}){positive}{alternatives}"


def _time_text(profile: Profile, choices: Choices) -> str:
    if not has_event_time(profile, choices):
        gaps = f"; {', '.join(choices.times)} have gaps" if choices.times else ""
        return f"event_time: none found{gaps}; the time of the upload is used"
    others = f"; other timestamps: {', '.join(choices.times[1:])}" if choices.times[1:] else ""
    meaning = "when a prediction is needed" if choices.labels else "when the row was true and known"
    return f"event_time: {choices.times[0]}: is it the time {meaning}?{others}"


def _constants(profile: Profile, choices: Choices) -> list[str]:
    needed = {*choices.keys[0], *choices.labels[:1], *choices.times[:1]}
    return [name for name, guess in profile.guesses.items() if guess.is_constant and name not in needed]


def _kept(profile: Profile, choices: Choices) -> list[str]:
    constants = _constants(profile, choices)
    return [name for name in profile.guesses if name not in constants]


def shared_missing(profile: Profile, choices: Choices) -> list[str]:
    """Return the texts that mean a missing value in two or more columns, and are a value in no column."""
    kept = [profile.guesses[name] for name in _kept(profile, choices)]
    tokens = Counter(token for guess in kept for token in map(str, guess.column.missing))
    return [t for t, columns in tokens.items() if columns > 1 and not any(t in guess.counts for guess in kept)]


def draft_text(profile: Profile, choices: Choices, *, name: str, entity: str, max_bad_rows: float | None = None) -> str:
    """Return the text of the YAML file.

    Args:
        profile: of the file.
        choices: for key, label, event time and leaks.
        name: of the data set.
        entity: name of the entity.
        max_bad_rows: the share of rejected rows to allow, if the file itself exceeds the default.
    """
    lines = [*_lines(profile, choices, name=name, entity=entity)]
    if max_bad_rows is not None:
        at = lines.index("columns:")
        lines[at:at] = [_with_comment(f"max_bad_rows: {max_bad_rows:g}", "this share of the file is rejected: fix it?")]
    return "\n".join(lines) + "\n"


def _lines(profile: Profile, choices: Choices, *, name: str, entity: str) -> Iterator[str]:
    is_table = not choices.labels
    kind = "a feature table" if is_table else "a data set"
    yield SCHEMA_LINE
    yield f"# A draft of {kind}, from {profile.rows:,} rows of {quoted(profile.file)} ({profile.form}). Look at:"
    yield from (f"# - {note}" for note in review_notes(profile, choices))
    if is_table:
        yield "kind: table"
    yield f"name: {name}"
    yield f"description: say here what a row is{'' if is_table else ', and what to predict'}"
    key = ", ".join(map(scalar, choices.keys[0]))
    yield f"entity: {{name: {entity}, key: {key if len(choices.keys[0]) == 1 else f'[{key}]'}}}"
    if choices.labels:
        yield from _label(profile.guesses[choices.labels[0]], choices.labels[0])
    has_time = has_event_time(profile, choices)
    time = scalar(choices.times[0]) if has_time else "null"
    yield _with_comment(f"event_time: {time}", "when a row was true" if has_time else "the time of the upload")
    if has_time:
        yield _with_comment("known_at: event_time", "or load, or a timestamp column: when the row became known")
    if is_table:
        yield _with_comment("ttl: null", "such as 6h or 2d: an older value counts as missing")
    if leaks := _declared_leaks(profile, choices):
        yield _with_comment(
            f"leaks: [{', '.join(map(scalar, leaks))}]", ", ".join(f"{choices.leaks[leak]:.2f}" for leak in leaks)
        )
    if profile.encoding:
        yield f"encoding: {profile.encoding}"
    if shared := shared_missing(profile, choices):
        yield _with_comment(f"missing: [{', '.join(map(scalar, shared))}]", "in every column")
    if constants := _constants(profile, choices):
        headers = ", ".join(scalar(profile.guesses[column].header) for column in constants)
        yield _with_comment(f"ignore: [{headers}]", "the same in every row")
    yield from _columns(profile, choices, shared)


def _declared_leaks(profile: Profile, choices: Choices) -> list[str]:
    """Return the suspected leaks without key, label and event time; none if no other feature would be left."""
    used = {*choices.keys[0], *choices.labels[:1], *choices.times[:1]}
    features = [c for c in _kept(profile, choices) if c not in used and profile.guesses[c].column.type in FEATURE_TYPES]
    leaks = [leak for leak in choices.leaks if leak in _kept(profile, choices) and leak not in used]
    return leaks if set(features) - set(leaks) else []


def _label(guess: Guess, name: str) -> Iterator[str]:
    kind = guess.column.type
    if len(guess.counts) == 2:
        positive = likely_positive(guess)
        other = next(text for text in guess.counts if text != positive)
        yield f"label: {{column: {scalar(name)}, positive: {scalar(positive, kind)}, negative: {scalar(other, kind)}}}"
    elif kind == "boolean":
        yield f"label: {{column: {scalar(name)}, positive: true, negative: false}}"
    else:
        yield f"label:\n  column: {scalar(name)}\n  classes:"
        for text, count in guess.counts.most_common():
            yield _with_comment(f"    - {scalar(text, kind)}", f"{count:,} rows")


def _columns(profile: Profile, choices: Choices, shared: list[str]) -> Iterator[str]:
    yield "columns:"
    guesses = {name: profile.guesses[name] for name in _kept(profile, choices)}
    for name in choices.labels[:1]:
        if guesses[name].column.type == "boolean" and len(guesses[name].counts) == 2:
            # As a category, predictions use the words of the file, such as yes and no.
            column = guesses[name].column.model_copy(update={"type": "category"})
            guesses[name] = replace(guesses[name], column=column)
    entries = {name: f"  {scalar(name)}: {_column(name, guess, shared)}" for name, guess in guesses.items()}
    width = min(60, max(map(len, entries.values())))
    for name, entry in entries.items():
        yield f"{entry:<{width}}  # {guesses[name].evidence()}"


def _column(name: str, guess: Guess, shared: list[str]) -> str:
    column: Column = guess.column
    options = [f"type: {column.type}"]
    if guess.header != name:
        options.append(f"header: {scalar(guess.header)}")
    if own := [str(token) for token in column.missing if token not in shared]:
        options.append(f"missing: [{', '.join(map(scalar, own))}]")
    if column.decimal != ".":
        options.append(f'decimal: "{column.decimal}"')
    if column.format:
        options.append(f'format: "{column.format}"')
    return column.type if len(options) == 1 else f"{{{', '.join(options)}}}"


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<36}  # {comment}"
