"""`ml-platform dataset draft`: read a file, draft its spec, try the draft on the file, and write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ml_platform.drafts.draft_text import draft_text
from ml_platform.drafts.drafting import Choices, choose
from ml_platform.drafts.file_profile import profile_file
from ml_platform.drafts.names import entity_words
from ml_platform.drafts.review_notes import review_notes, too_many_rejected
from ml_platform.drafts.spec_check import Trial, try_file
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog, parse_table, spec_files
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS, Name
from ml_platform.specs.spec import joined_name


@dataclass(frozen=True)
class Draft:
    """A draft that was written.

    Attributes:
        path: the YAML file.
        review_notes: what a person must check, one sentence each.
        trial: how many rows of the file the draft would load and reject.
    """

    path: Path
    review_notes: list[str]
    trial: Trial


def write_draft(
    file: Path,
    name: str,
    folder: Path,
    *,
    is_table: bool = False,
    label: str | None = None,
    key: Sequence[str] | None = None,
) -> Draft:
    """Write `<folder>/<name>.yaml`, a draft made from a file; an existing file is never overwritten.

    Args:
        file: rows of the data, in any format that the platform reads.
        name: of the data set.
        folder: of the specs.
        is_table: whether to draft a feature table, which has no label.
        label: the label's column; None to guess it.
        key: the key's columns; None to guess them.

    Raises:
        ConfigurationError: the name is taken or not allowed, no column can be the label, several could be and a person
            must choose, or a feature table has no key.
        ContractError: the file cannot be parsed.
    """
    target = folder / f"{name}.yaml"
    check_name(name, folder)
    profile = profile_file(file, longest_column(name))
    choices = choose(profile, is_table=is_table, label=label, key=key, title=name)
    entity = entity_name(choices, name, folder)
    text = draft_text(profile, choices, name=name, entity=entity)
    table = parse_table(text, target)
    trial = try_file(table, file, "train")
    warnings = []
    if trial.share > table.max_bad_rows:
        warnings.append(too_many_rejected(profile, choices, rows=trial.rows_rejected, most=table.max_bad_rows))
        text = draft_text(profile, choices, name=name, entity=entity, warnings=warnings)
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}") from None
    return Draft(target, [*warnings, *review_notes(profile, choices)], trial)


def longest_column(name: str) -> int:
    """Return the most characters that a column's name may have in a data set of this name."""
    return IDENTIFIER_CHARACTERS - len(joined_name(name, ""))


def check_name(name: str, folder: Path) -> None:
    """Check the name of a new data set in a folder of specs.

    Raises:
        ConfigurationError: it is not allowed, is taken, or begins like another's; the text says so.
    """
    target = folder / f"{name}.yaml"
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"the name {name!r}: {why}; allowed are names such as churn or house_prices") from None
    if target.exists():
        raise ConfigurationError(f"{target} is there already and is not overwritten; remove it or choose another name")
    for other in [path.stem for path in spec_files(folder)]:
        if name.startswith(other) or other.startswith(name):
            raise ConfigurationError(
                f"the name {name!r} and the existing {other!r} start with the same letters: uploads of one would match "
                "the other"
            )


def entity_name(choices: Choices, name: str, folder: Path) -> str:
    """Return the entity's name: the key's without words such as id (customer of customer_id), else the data set's.

    Rows without a key are entities of the name row.
    """
    entity = "_".join(entity_words(choices.key[0])) or name if choices.key else "row"
    specs = catalog(folder)
    others = {other.entity.name for other in (*specs.datasets, *specs.tables) if other.has_key or choices.key}
    return f"{name}_{entity}" if entity in others else entity
