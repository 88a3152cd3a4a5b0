"""The columns of a draft as a person reviews them: type, role or use, and the evidence."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ml_platform.drafts.drafting import Choices, has_event_time
from ml_platform.drafts.file_profile import Profile
from ml_platform.drafts.label_leaks import GIVEN
from ml_platform.drafts.review_notes import constant_columns
from ml_platform.specs.parts import ColumnType
from ml_platform.specs.spec import FEATURE_TYPES

Use = Literal["feature", "leak", "ignore"]


@dataclass(frozen=True)
class ColumnRow:
    """A column, as a person sees it.

    Attributes:
        name: in the spec.
        header: in the file.
        type: chosen or guessed.
        role: `label`, `key` or `event time`; "" for others, which have a use.
        use: whether it is a feature, is known only with the label, or is not read.
        is_sensitive: whether the model is judged by its values.
        may_be_sensitive: whether it can be.
        evidence: how many cells fit, and examples.
        notes: doubts, one sentence each.
    """

    name: str
    header: str
    type: ColumnType
    role: str
    use: Use
    is_sensitive: bool
    may_be_sensitive: bool
    evidence: str
    notes: tuple[str, ...]


def column_rows(profile: Profile, choices: Choices) -> list[ColumnRow]:
    """Return the columns of a file, in its order, as these choices use them."""
    roles = _roles(profile, choices)
    return [
        ColumnRow(
            name=name,
            header=guess.header,
            type=guess.column.type,
            role=roles.get(name, ""),
            use="ignore" if name in (choices.ignored or ()) else "leak" if name in choices.leaks else "feature",
            is_sensitive=name in choices.sensitive,
            may_be_sensitive=name not in roles and guess.column.type in FEATURE_TYPES,
            evidence=guess.evidence(),
            notes=guess.notes,
        )
        for name, guess in profile.guesses.items()
    ]


def with_uses(profile: Profile, guessed: Choices, uses: Mapping[str, Use], sensitive: Collection[str]) -> Choices:
    """Return choices with the uses that a person gave to columns; others keep the guessed use.

    Args:
        profile: of the file.
        guessed: the choices before.
        uses: by name of the column. Those of key, label and event time do not count.
        sensitive: columns by whose values the model is judged, if they are features.
    """
    decided = {name: uses.get(name, use) for name, use in _guessed_uses(profile, guessed).items()}
    judged = [name for name, use in decided.items() if name in sensitive and use == "feature"]
    return replace(
        guessed,
        leaks={name: guessed.leaks.get(name, GIVEN) for name, use in decided.items() if use == "leak"},
        ignored=tuple(name for name, use in decided.items() if use == "ignore"),
        sensitive=tuple(name for name in judged if profile.guesses[name].column.type in FEATURE_TYPES),
    )


def _guessed_uses(profile: Profile, choices: Choices) -> dict[str, Use]:
    roles, constants = _roles(profile, choices), constant_columns(profile, choices)
    return {
        name: "ignore" if name in constants else "leak" if name in choices.leaks else "feature"
        for name in profile.guesses
        if name not in roles
    }


def _roles(profile: Profile, choices: Choices) -> dict[str, str]:
    roles = {choices.times[0]: "event time"} if has_event_time(profile, choices) else {}
    roles |= dict.fromkeys(choices.key, "key")
    return roles | ({choices.label: "label"} if choices.label else {})
