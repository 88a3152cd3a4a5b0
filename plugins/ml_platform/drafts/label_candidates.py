"""Rank the columns that could be the label by evidence: name, position, values, and relations to other columns."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ml_platform.drafts.column_relations import cut_numbers, design_factors, estimated_columns, series
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.guessing import Guess, quoted
from ml_platform.drafts.label_leaks import any_of_parts, sum_parts
from ml_platform.drafts.names import (
    has_outcomes,
    is_in_title,
    is_key_like,
    is_period,
    is_usual_input,
    label_evidence,
    words,
)
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import NUMERIC_TYPES

MOST_CLASSES = 20
PLAUSIBLE, LEAD = 2, 2  # the least score of a plausible label, and by how much the best one must lead to be chosen
SHOWN = 8
DOUBT = 3  # where no label is plausible, those so many points behind the best are listed as well
_FEW_CLASSES, _MOST_WHOLE_CLASSES = 5, 10
_CLEAR_NAME = 2  # the fewest points of a name that outweighs missing values
_OFTEN_ZERO = 0.2  # the least share of zeros of a count, such as of visits, that is likely an outcome
Kind = Literal["classes", "number"]


@dataclass(frozen=True)
class LabelCandidate:
    """A column that could be the label.

    Attributes:
        column: its name.
        kind: whether it has classes, or is predicted as a number.
        score: the sum of the evidence, in points.
        reasons: the evidence for it, in words; empty if there is none.
    """

    column: str
    kind: Kind
    score: int = 0
    reasons: tuple[str, ...] = ()

    def describe(self, guess: Guess) -> str:
        """Return one line for people: the values and the reasons."""
        if self.kind == "number":
            values = f"a number, {len(guess.counts):,} different values, {guess.examples()}"
        else:
            shares = ", ".join(f"{quoted(text)} {n / guess.present:.1%}" for text, n in guess.counts.most_common(5))
            values = f"{len(guess.counts)} classes, {shares}{', …' if len(guess.counts) > 5 else ''}"
        gaps = f"; {guess.missing.total():,} missing" if guess.missing else ""
        return f"{values}{gaps}{''.join(f'; {reason}' for reason in self.reasons)}"


def given_label(profile: Profile, label: str) -> LabelCandidate:
    """Return the label that a person named, by the column's name or its header.

    Raises:
        ConfigurationError: there is no such column, or it can be no label.
    """
    kinds = {name: kind for name in profile.guesses if (kind := _kind(profile.guesses[name]))}
    for name, guess in profile.guesses.items():
        if label in (name, guess.header) and name in kinds:
            return LabelCandidate(name, kinds[name], reasons=("given as --label",))
    raise ConfigurationError(
        f"{profile.file}: --label {label!r} is neither a column with 2 to {MOST_CLASSES} different values, each in "
        f"several rows, nor a number; allowed: {', '.join(kinds) or '(none)'}"
    )


def label_candidates(profile: Profile, others: Collection[str] = (), title: str = "") -> list[LabelCandidate]:
    """Return the columns that could be the label, the most likely first.

    Args:
        profile: of the file.
        others: columns that are none, such as the key.
        title: the name of the data set; together with the file's name it may say what is predicted.

    Raises:
        ConfigurationError: no column can be the label.
    """
    kinds = dict(_possible(profile, others))
    if not kinds:
        raise ConfigurationError(
            f"{profile.file}: no column can be the label: none has 2 to {MOST_CLASSES} different values, each in "
            "several rows, and none is a number; a feature table, which has no label, needs --table"
        )
    ends, relations = _ends(profile, others), _relations(profile, kinds)
    titles = (title, profile.file.partition(".")[0])
    ranked = []
    for name, kind in kinds.items():
        evidence = [*_evidence(profile, name, kinds, ends), *relations[name]]
        if any(is_in_title(name, one) for one in titles):
            evidence.append((3, "the data set is named after it"))
        reasons = tuple(reason for points, reason in evidence if reason)
        ranked.append(LabelCandidate(name, kind, sum(points for points, _ in evidence), reasons))
    return sorted(ranked, key=lambda candidate: -candidate.score)


def _relations(profile: Profile, kinds: dict[str, Kind]) -> dict[str, list[tuple[int, str]]]:
    """Return the evidence that lies in other columns, in points with a reason, per column."""
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in kinds}
    flags, sums, cuts = any_of_parts(profile), sum_parts(profile), cut_numbers(profile)
    factors, estimates = design_factors(profile), estimated_columns([*profile.guesses])
    for name, kind in kinds.items():
        if kind == "classes" and name in flags:
            found[name].append((4, f"it is set where any of {', '.join(flags[name])} is set"))
        if kind == "number" and name in sums:
            found[name].append((1, f"it is the sum of {' and '.join(sums[name])}"))
        if name in cuts:
            what = f"it is {cuts[name]}, cut at a value" if kind == "classes" else f"{cuts[name]} is it, cut at a value"
            found[name].append((3, what))
        if name in factors:
            found[name].append((-3, ""))
        if name in estimates:
            found[name].append((4, f"{estimates[name]} is an estimate of it"))
        if name in estimates.values():
            found[name].append((-3, ""))
    return found


def plausible_labels(candidates: Sequence[LabelCandidate]) -> list[LabelCandidate]:
    """Return the only plausible label, or those of which a person must choose, the most likely first.

    A label is plausible with a score of `PLAUSIBLE`. The best is the only one if it leads by `LEAD` points, or without
    a plausible one by more than `DOUBT`.
    """
    if len(candidates) == 1:
        return [replace(candidates[0], reasons=(*candidates[0].reasons, "the only column that can be one"))]
    best = candidates[0].score
    if best < PLAUSIBLE:
        return [candidate for candidate in candidates if candidate.score >= best - DOUBT]
    return [c for c in candidates if c.score >= PLAUSIBLE and c.score > best - LEAD]


def question(profile: Profile, candidates: Sequence[LabelCandidate]) -> str:
    """Return the text that lists the labels of which a person must choose."""
    width = max(len(candidate.column) for candidate in candidates[:SHOWN])
    lines = [f"  --label {c.column:<{width}}  {c.describe(profile.guesses[c.column])}" for c in candidates[:SHOWN]]
    more = [f"  and {len(candidates) - SHOWN:,} more"] if len(candidates) > SHOWN else []
    what = f"{len(candidates):,} columns could be the label" if len(candidates) > 1 else "no column stands out as label"
    return "\n".join([f"{profile.file}: {what}; nothing is written. Say which one it is:", *lines, *more])


def _possible(profile: Profile, others: Collection[str]) -> Iterator[tuple[str, Kind]]:
    """Yield the columns that could be the label."""
    for name, guess in profile.guesses.items():
        kind = _kind(guess)
        if kind and name not in others and not guess.is_constant and not _is_coordinate(profile, name):
            yield name, kind


def _is_coordinate(profile: Profile, name: str) -> bool:
    """Return whether a column is one of x, y, z: `y` is a usual name of a label, but not beside `x` and `z`."""
    return name.lower() in ("x", "y", "z") and {"x", "y", "z"} <= {other.lower() for other in profile.guesses}


def _kind(guess: Guess) -> Kind | None:
    several = 2 <= len(guess.counts) <= MOST_CLASSES and min(guess.counts.values()) > 1 and not guess.misfits
    if guess.column.type in NUMERIC_TYPES:
        most = _MOST_WHOLE_CLASSES if guess.column.type == "integer" else 0
        if several and len(guess.counts) <= most:
            return "classes"
        return "number" if len(guess.counts) > 2 else None
    return "classes" if several and guess.column.type in ("category", "boolean") else None


def _evidence(profile: Profile, name: str, kinds: dict[str, Kind], ends: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the evidence of a column's name, place and values, in points with a reason."""
    guess, is_number = profile.guesses[name], kinds[name] == "number"
    points, reason = label_evidence(name, values=len(guess.counts), is_number=is_number)
    is_one_of_several = name in series([*kinds])  # type1, type2, type3
    if not is_one_of_several:
        yield points, reason
        if name in ends:
            yield _place(name, ends, is_number=is_number)
            if is_number and not points:
                yield from _shape(profile, name, kinds)
    if len(guess.counts) == 2:
        yield 1, "two values"
    elif not is_number and len(guess.counts) > _FEW_CLASSES:
        yield -1, ""
    if guess.missing and (points < _CLEAR_NAME or is_one_of_several):
        yield -2, ""
    if not is_number and has_outcomes(guess.counts):
        yield 3, "some of its values are outcomes"
    if _is_input(name):
        yield -3, ""


def _is_input(name: str) -> bool:
    return is_period(name) or is_usual_input(name) or is_key_like(name) or not words(name)


def _ends(profile: Profile, others: Collection[str]) -> tuple[str, str]:
    """Return the first and the last column of a file, apart from the key, the times, and columns of one value."""
    columns = [name for name, guess in profile.guesses.items() if name not in others and not guess.is_constant]
    return columns[0], columns[-1]


def _place(name: str, ends: Sequence[str], *, is_number: bool) -> tuple[int, str]:
    if name == ends[-1]:
        # The place says less about a number: it neither makes one a label, nor decides between two with such names.
        return 1 if is_number else 2, "the last column"
    return 1, "the first column"


def _shape(profile: Profile, name: str, kinds: dict[str, Kind]) -> Iterator[tuple[int, str]]:
    """Yield what the values of the first or the last number say: it is the only one, or it counts something."""
    if [n for n in kinds if not _is_input(n) and _is_quantity(profile.guesses[n])] == [name]:
        yield 2, f"it alone is a number with more than {MOST_CLASSES} values"
    if _is_count(profile.guesses[name]):
        yield 2, "it counts something that is often zero"


def _is_quantity(guess: Guess) -> bool:
    return guess.column.type in NUMERIC_TYPES and len(guess.counts) > MOST_CLASSES


def _is_count(guess: Guess) -> bool:
    zeros = sum(guess.counts[text] for text in ("0", "0.0"))
    is_whole = guess.column.type == "integer" and not any(text.startswith("-") for text in guess.counts)
    return is_whole and zeros >= _OFTEN_ZERO * guess.present
