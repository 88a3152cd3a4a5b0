"""The draft of a spec as a file: each guess with its evidence as a comment, on top what a person should look at."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import yaml

from ml_platform.drafts.drafting import Choices, has_event_time, is_key_like, positive
from ml_platform.drafts.file_profile import PROFILED_ROWS, Profile
from ml_platform.drafts.guessing import Guess, quoted
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import FEATURE_TYPES

SCHEMA_LINE = "# yaml-language-server: $schema=schema.json"
_PLAIN = re.compile(r"[^\W\d][\w ()/%.-]*(?<! )")
_WORDS_OF_YAML = ("true", "false", "null")


def scalar(text: str, kind: str = "category") -> str:
    """Return a text from the file as YAML: quoted unless it is read back as the same text; integers as they are."""
    if kind == "integer" and re.fullmatch("-?(0|[1-9][0-9]*)", text):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return str(yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9)).strip()


def look_at(seen: Profile, choices: Choices) -> list[str]:
    """Return what only a person can decide, one sentence each."""
    said = [*seen.notes, *choices.notes]
    if seen.is_cut:
        said.append(f"only the first {PROFILED_ROWS:,} rows were looked at")
    said.append(_key_text(seen, choices))
    if choices.labels:
        said.append(_label_text(seen, choices))
    if choices.leaks:
        worst = ", ".join(f"{leak} ({score:.2f})" for leak, score in choices.leaks.items())
        said.append(f"leaks: {worst} alone give the label away (1 is always right): known only afterwards?")
    said.append(_time_text(seen, choices))
    for column, known in seen.guesses.items():
        said += [f"columns.{column}: {note}" for note in known.notes]
        if known.misfits:
            said.append(f"columns.{column}: {known.misfits.total():,} rows will be rejected: {known.evidence()}")
    if texts := [c for c in _kept(seen, choices) if seen.guesses[c].column.type == "text" and c not in choices.keys[0]]:
        said.append(f"no features, for they look like ids or free text: {', '.join(texts)}")
    return said


def _key_text(seen: Profile, choices: Choices) -> str:
    taken, *others = choices.keys
    alternatives = f"; unique too: {', '.join(' + '.join(key) for key in others[:4])}" if others else ""
    named = (
        ""
        if all(map(is_key_like, taken))
        else ", though its name does not say so: does it name the same thing in every file?"
    )
    return f"entity.key: {' + '.join(taken)}{named}{alternatives}"


def _label_text(seen: Profile, choices: Choices) -> str:
    taken, *others = choices.labels
    known = seen.guesses[taken]
    counts = ", ".join(f"{quoted(text)} {n / known.present:.1%}" for text, n in known.counts.most_common(5))
    alternatives = f"; others with few values: {', '.join(others[:4])}" if others else ""
    found = f"; positive is guessed: {quoted(positive(known))}" if len(known.counts) == 2 else ""
    return f"label.column: {taken} ({counts}){found}{alternatives}"


def _time_text(seen: Profile, choices: Choices) -> str:
    if not has_event_time(seen, choices):
        gaps = f"; {', '.join(choices.times)} have gaps" if choices.times else ""
        return f"event_time: none found{gaps}, so the moment of the upload stands in"
    others = f"; others: {', '.join(choices.times[1:])}" if choices.times[1:] else ""
    asked = "when a prediction would have been wanted" if choices.labels else "when the row was true, and known"
    return f"event_time: {choices.times[0]}: is it {asked}?{others}"


def _constants(seen: Profile, choices: Choices) -> list[str]:
    needed = {*choices.keys[0], *choices.labels[:1], *choices.times[:1]}
    return [name for name, known in seen.guesses.items() if known.is_constant and name not in needed]


def _kept(seen: Profile, choices: Choices) -> list[str]:
    constants = _constants(seen, choices)
    return [name for name in seen.guesses if name not in constants]


def shared_missing(seen: Profile, choices: Choices) -> list[str]:
    """Return the texts that look like missing values in more than one column, and are a value in none."""
    kept = [seen.guesses[name] for name in _kept(seen, choices)]
    tokens = Counter(token for known in kept for token in map(str, known.column.missing))
    return [t for t, columns in tokens.items() if columns > 1 and not any(t in known.counts for known in kept)]


def draft_text(seen: Profile, choices: Choices, *, name: str, entity: str, max_bad_rows: float | None = None) -> str:
    """Return the YAML file; `max_bad_rows` is set where the file itself would break the default."""
    lines = [*_lines(seen, choices, name=name, entity=entity)]
    if max_bad_rows is not None:
        at = lines.index("columns:")
        lines[at:at] = [_with_comment(f"max_bad_rows: {max_bad_rows:g}", "so many of this file do not fit: mend it?")]
    return "\n".join(lines) + "\n"


def _lines(seen: Profile, choices: Choices, *, name: str, entity: str) -> Iterator[str]:
    is_table = not choices.labels
    kind = "a feature table" if is_table else "a data set"
    yield SCHEMA_LINE
    yield f"# A draft for {kind}, from {seen.rows:,} rows of {quoted(seen.file)} ({seen.form}). Look at:"
    yield from (f"# - {said}" for said in look_at(seen, choices))
    if is_table:
        yield "kind: table"
    yield f"name: {name}"
    yield f"description: say here what a row is{'' if is_table else ', and what is to be foretold'}"
    key = ", ".join(map(scalar, choices.keys[0]))
    yield f"entity: {{name: {entity}, key: {key if len(choices.keys[0]) == 1 else f'[{key}]'}}}"
    if choices.labels:
        yield from _label(seen.guesses[choices.labels[0]], choices.labels[0])
    has_time = has_event_time(seen, choices)
    time = scalar(choices.times[0]) if has_time else "null"
    yield _with_comment(f"event_time: {time}", "when a row was true" if has_time else "the moment of the upload")
    if has_time:
        yield _with_comment("known_at: event_time", "or load, or a timestamp column: when it could be known")
    if is_table:
        yield _with_comment("ttl: null", "such as 6h or 2d: an older value is missing")
    if leaks := _believed(seen, choices):
        yield _with_comment(
            f"leaks: [{', '.join(map(scalar, leaks))}]", ", ".join(f"{choices.leaks[leak]:.2f}" for leak in leaks)
        )
    if seen.encoding:
        yield f"encoding: {seen.encoding}"
    if shared := shared_missing(seen, choices):
        yield _with_comment(f"missing: [{', '.join(map(scalar, shared))}]", "in every column")
    if constants := _constants(seen, choices):
        headers = ", ".join(scalar(seen.guesses[column].header) for column in constants)
        yield _with_comment(f"ignore: [{headers}]", "never differ")
    yield from _columns(seen, choices, shared)


def _believed(seen: Profile, choices: Choices) -> list[str]:
    """Return the suspected leaks, unless no feature would be left without them, or one is a clock."""
    used = {*choices.keys[0], *choices.labels[:1], *choices.times[:1]}
    features = [c for c in _kept(seen, choices) if c not in used and seen.guesses[c].column.type in FEATURE_TYPES]
    leaks = [leak for leak in choices.leaks if leak in _kept(seen, choices) and leak not in used]
    return leaks if set(features) - set(leaks) else []


def _label(known: Guess, name: str) -> Iterator[str]:
    kind = known.column.type
    if len(known.counts) == 2:
        found = positive(known)
        other = next(text for text in known.counts if text != found)
        yield f"label: {{column: {scalar(name)}, positive: {scalar(found, kind)}, negative: {scalar(other, kind)}}}"
    elif kind == "boolean":
        yield f"label: {{column: {scalar(name)}, positive: true, negative: false}}"
    else:
        yield f"label:\n  column: {scalar(name)}\n  classes:"
        for text, count in known.counts.most_common():
            yield _with_comment(f"    - {scalar(text, kind)}", f"{count:,} rows")


def _columns(seen: Profile, choices: Choices, shared: list[str]) -> Iterator[str]:
    yield "columns:"
    guesses = {name: seen.guesses[name] for name in _kept(seen, choices)}
    for name in choices.labels[:1]:
        if guesses[name].column.type == "boolean" and len(guesses[name].counts) == 2:
            # Predictions then say what the file says, such as yes and no.
            column = guesses[name].column.model_copy(update={"type": "category"})
            guesses[name] = replace(guesses[name], column=column)
    entries = {name: f"  {scalar(name)}: {_column(name, known, shared)}" for name, known in guesses.items()}
    width = min(60, max(map(len, entries.values())))
    for name, entry in entries.items():
        yield f"{entry:<{width}}  # {guesses[name].evidence()}"


def _column(name: str, known: Guess, shared: list[str]) -> str:
    column: Column = known.column
    options = [f"type: {column.type}"]
    if known.header != name:
        options.append(f"header: {scalar(known.header)}")
    if own := [str(token) for token in column.missing if token not in shared]:
        options.append(f"missing: [{', '.join(map(scalar, own))}]")
    if column.decimal != ".":
        options.append(f'decimal: "{column.decimal}"')
    if column.format:
        options.append(f'format: "{column.format}"')
    return column.type if len(options) == 1 else f"{{{', '.join(options)}}}"


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<36}  # {comment}"
