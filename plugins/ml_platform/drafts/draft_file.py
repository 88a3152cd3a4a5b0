"""`ml-platform dataset draft`: a file in, the draft of its spec out, tried on the file before it is written."""

import math
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ml_platform.drafts.draft_text import draft_text, look_at
from ml_platform.drafts.drafting import KEY_WORDS, Choices, choose, words
from ml_platform.drafts.file_profile import Profile, profile
from ml_platform.drafts.spec_check import Trial, read
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog, parse_table, spec_files
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS, Name
from ml_platform.specs.spec import joined_name


@dataclass(frozen=True)
class Drafted:
    """A draft that was written: where, what to look at, and what of the file it would reject."""

    path: Path
    look_at: list[str]
    trial: Trial


def write_draft(file: Path, name: str, folder: Path, *, is_table: bool = False, label: str | None = None) -> Drafted:
    """Write `<folder>/<name>.yaml`, a draft after a file.

    Args:
        file: what to look at, of any format that the platform reads.
        name: of the data set.
        folder: where the specs lie.
        is_table: whether it becomes a feature table, without a label.
        label: the column that is the label, if that is known.

    Raises:
        ConfigurationError: the name is taken or not allowed, or nothing in the file can be the label or the key.
        ContractError: the file is broken.
    """
    target = folder / f"{name}.yaml"
    _check_name(name, target)
    seen = profile(file, IDENTIFIER_CHARACTERS - len(joined_name(name, "")))
    choices = choose(seen, is_table=is_table, label=label)
    entity = _entity(seen, choices, name, folder)
    text = draft_text(seen, choices, name=name, entity=entity)
    table = parse_table(text, target)
    trial = read(table, file, "train")
    if trial.share > table.max_bad_rows:
        share = math.ceil(trial.share * 100) / 100
        text = draft_text(seen, choices, name=name, entity=entity, max_bad_rows=share)
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}") from None
    return Drafted(target, look_at(seen, choices), trial)


def _check_name(name: str, target: Path) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"the name {name!r}: {why}; such as churn or house_prices") from None
    if target.exists():
        raise ConfigurationError(f"{target} is there already, and is not overwritten; remove it, or take another name")
    for other in [path.stem for path in spec_files(target.parent)]:
        if name.startswith(other) or other.startswith(name):
            raise ConfigurationError(
                f"the name {name!r} and {other!r}, which is there, begin alike: each would take the other's uploads"
            )


def _entity(seen: Profile, choices: Choices, name: str, folder: Path) -> str:
    """Return the entity's name: after the key's, such as customer of customer_id, or the data set's."""
    said = "_".join(word for word in words(choices.keys[0][0]) if word not in KEY_WORDS) or name
    found = catalog(folder)
    others = {other.entity.name for other in (*found.datasets, *found.tables)}
    return f"{name}_{said}" if said in others else said
