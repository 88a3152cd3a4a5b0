"""Check a changed spec before it is saved: its mistakes, what the change means, and whether loaded rows forbid it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_platform.drafts import spec_check
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.specs.catalog import catalog, parse_table
from ml_platform.specs.changes import compare_specs
from ml_platform.specs.platform import PLATFORM_FILE
from ml_platform.specs.spec import Table
from ml_platform.storage import tables

# the options of which `compare_specs` says nothing, because they concern no rows
LATER = {
    "description": "shown from now on",
    "search": "used from the next training on",
    "gate": "used from the next training on",
    "shadow": "used from the next training on",
    "source": "used from the next look at the source on; a new Kafka topic is created by the next `make up`",
    "stream": "used after the next `make up`",
    "monitor": "used from the next check on",
    "result": "used from the next file to be scored on",
    "alerts": "used from the next message on",
    "expect": "used from the next look for alerts on",
    "retention": "used by the next housekeeping",
}


@dataclass(frozen=True)
class EditCheck:
    """What is known of a changed file.

    Attributes:
        problems: its mistakes, and mistakes that it causes in other files; one that has any cannot be saved.
        effects: what the change means, one sentence each.
        refused: what is incompatible with rows already loaded, so that the next load would refuse it.
        not_compared: why it was not compared with rows already loaded; "" if it was.
    """

    problems: tuple[str, ...]
    effects: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    not_compared: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it can be saved."""
        return not (self.problems or self.refused)


def check_edit(folder: Path, file: str, before: str, after: str) -> EditCheck:
    """Check a text for a file of a folder, which may be a new one.

    Args:
        folder: of the specs.
        file: the file's name, such as `churn.yaml`.
        before: the text that is in the folder now; "" for a new file.
        after: the text to be saved.
    """
    drafts = {file: after}
    others = set(spec_check.problems(folder))
    own = str(folder / file)
    found = spec_check.problems(folder, drafts=drafts)
    # a mistake that another file has already is none of this change
    problems = tuple(text for text in found if text.startswith(own) or text not in others)
    if problems or file == PLATFORM_FILE:
        return EditCheck(problems)
    known = catalog(folder, drafts)
    table = next(one for one in (*known.datasets, *known.tables) if f"{one.name}.yaml" == file)
    effects = _effects(_parsed(before, folder / file), table)
    try:
        return EditCheck((), effects, tuple(tables.incompatible_changes(table)))
    except ServiceError as error:
        return EditCheck((), effects, not_compared=str(error))


def _parsed(text: str, path: Path) -> Table | None:
    try:
        return parse_table(text, path) if text else None
    except ConfigurationError:
        return None  # what it was is unknown


def _effects(before: Table | None, after: Table) -> tuple[str, ...]:
    if before is None:
        return ()
    old, new = (_dumped(table) for table in (before, after))
    changes = compare_specs(old, new)
    later = [f"{field}: {text}" for field, text in LATER.items() if old.get(field) != new.get(field)]
    return (*changes.incompatible, *changes.compatible, *later)


def _dumped(table: Table) -> dict[str, Any]:
    return table.model_dump(mode="json", exclude={"tables"})
