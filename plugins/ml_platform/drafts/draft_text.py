"""The draft of a spec as YAML: each guess has its evidence as a comment; the top lists what a person must check."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import yaml

from ml_platform.drafts.drafting import Choices, has_event_time
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess, quoted
from ml_platform.drafts.label_candidates import LabelCandidate
from ml_platform.drafts.label_leaks import likely_positive
from ml_platform.drafts.review_notes import ignored_columns, kept_columns, review_notes
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


def shared_missing(profile: Profile, choices: Choices) -> list[str]:
    """Return the texts that mean a missing value in two or more columns, and are a value in no column."""
    kept = [profile.guesses[name] for name in kept_columns(profile, choices)]
    tokens = Counter(token for guess in kept for token in map(str, guess.column.missing))
    return [t for t, columns in tokens.items() if columns > 1 and not any(t in guess.counts for guess in kept)]


def draft_text(profile: Profile, choices: Choices, *, name: str, entity: str, warnings: Sequence[str] = ()) -> str:
    """Return the text of the YAML file.

    Args:
        profile: of the file.
        choices: for key, label, event time and leaks.
        name: of the data set.
        entity: name of the entity.
        warnings: what comes before the review notes at the top.
    """
    return "\n".join(_lines(profile, choices, name=name, entity=entity, warnings=warnings)) + "\n"


def _lines(profile: Profile, choices: Choices, *, name: str, entity: str, warnings: Sequence[str]) -> Iterator[str]:
    is_table = not choices.labels
    kind = "a feature table" if is_table else "a data set"
    yield SCHEMA_LINE
    yield f"# A draft of {kind}, from {profile.rows:,} rows of {quoted(profile.file)} ({profile.form}). Look at:"
    yield from (f"# - {note}" for note in (*warnings, *review_notes(profile, choices)))
    if is_table:
        yield "kind: table"
    yield f"name: {name}"
    yield f"description: say here what a row is{'' if is_table else ', and what to predict'}"
    yield _entity(choices, entity)
    if choices.labels:
        yield from _label(profile.guesses[choices.labels[0].column], choices.labels[0])
    yield from _time(profile, choices)
    if is_table:
        yield _with_comment("ttl: null", "such as 6h or 2d: an older value counts as missing")
    if leaks := _declared_leaks(profile, choices):
        yield _with_comment(
            f"leaks: [{', '.join(map(scalar, leaks))}]", ", ".join(choices.leaks[leak] for leak in leaks)
        )
    if profile.encoding:
        yield f"encoding: {profile.encoding}"
    if shared := shared_missing(profile, choices):
        yield _with_comment(f"missing: [{', '.join(map(scalar, shared))}]", "in every column")
    if ignored := ignored_columns(profile, choices):
        headers = ", ".join(scalar(profile.guesses[column].header) for column in ignored)
        line = f"ignore: [{headers}]"
        yield _with_comment(line, "the same in every row") if choices.ignored is None else line
    if choices.sensitive:
        yield _with_comment(f"sensitive: [{', '.join(map(scalar, choices.sensitive))}]", "the model is judged by them")
    yield from _columns(profile, choices, shared)


def _entity(choices: Choices, entity: str) -> str:
    if not choices.key:
        return _with_comment(f"entity: {{name: {entity}}}", "no key: each row is an entity of its own")
    key = ", ".join(map(scalar, choices.key))
    return f"entity: {{name: {entity}, key: {key if len(choices.key) == 1 else f'[{key}]'}}}"


def _time(profile: Profile, choices: Choices) -> Iterator[str]:
    if not has_event_time(profile, choices):
        yield _with_comment("event_time: null", "the time of the upload")
        return
    yield _with_comment(f"event_time: {scalar(choices.times[0])}", "when a row was true")
    yield _with_comment("known_at: event_time", "or load, or a timestamp column: when the row became known")


def _declared_leaks(profile: Profile, choices: Choices) -> list[str]:
    """Return the suspected leaks without key, label and event time; none if no other feature would be left."""
    used = {*choices.key, choices.label, *choices.times[:1]}
    features = [
        c for c in kept_columns(profile, choices) if c not in used and profile.guesses[c].column.type in FEATURE_TYPES
    ]
    leaks = [leak for leak in choices.leaks if leak in kept_columns(profile, choices) and leak not in used]
    return leaks if set(features) - set(leaks) or choices.ignored is not None else []


def _label(guess: Guess, label: LabelCandidate) -> Iterator[str]:
    kind, name = guess.column.type, label.column
    if label.kind == "number":
        yield f"label: {{column: {scalar(name)}, kind: number}}"
    elif len(guess.counts) == 2:
        positive = likely_positive(guess)
        other = next(text for text in guess.counts if text != positive)
        yield f"label: {{column: {scalar(name)}, positive: {scalar(positive, kind)}, negative: {scalar(other, kind)}}}"
    elif kind == "boolean":
        yield f"label: {{column: {scalar(name)}, positive: true, negative: false}}"
    else:
        yield "label:"
        as_number = f"or, to predict it as a number: label: {{column: {scalar(name)}, kind: number}}"
        yield (
            _with_comment(f"  column: {scalar(name)}", as_number) if kind == "integer" else f"  column: {scalar(name)}"
        )
        yield "  classes:"
        for text, count in guess.counts.most_common():
            yield _with_comment(f"    - {scalar(text, kind)}", f"{count:,} rows")


def _columns(profile: Profile, choices: Choices, shared: list[str]) -> Iterator[str]:
    yield "columns:"
    guesses = {name: profile.guesses[name] for name in kept_columns(profile, choices)}
    for (name,) in [key for key in choices.keys[1:] if len(key) == 1]:
        # A number that only tells rows apart would be a feature. As a text it is stored, and is none.
        guesses[name] = replace(guesses[name], column=Column(type="text"))
    for name in [label.column for label in choices.labels[:1]]:
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
