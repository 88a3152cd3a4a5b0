"""Label files: files of a data set that bring labels alone, which are joined with features that other files bring."""

from typing import Any, TypeGuard

from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import EVENT_TIME, KNOWN_AT_UPLOAD, LABEL_FOLDER, LOAD, Dataset, Table


class LabelFiles(Dataset):
    """The spec of a data set's label files; `label_files` makes it. Labels are known from upload or load on."""

    @property
    def _timestamps(self) -> dict[str, str]:
        return {EVENT_TIME: self.event_time} if self.event_time else {}

    def inbox_prefix(self, purpose: Purpose) -> str:
        """Return the prefix of the keys of label files in the bucket `train`."""
        return f"{LABEL_FOLDER}{self.name}"


def label_files(dataset: Dataset) -> LabelFiles:
    """Return the spec of a data set's label files: key, event time, label and, if they are there, leaks.

    Raises:
        ValueError: the rows have no key, so no label could find its row.
    """
    if not dataset.has_key:
        raise ValueError(f"{dataset.name} has no key, so it has no label files")
    read = {*dataset.keys, dataset.event_time, *dataset.label_columns}
    columns = {name: column for name, column in dataset.columns.items() if name in read}
    columns |= {name: columns[name].model_copy(update={"required": False}) for name in dataset.leaks}
    changes: dict[str, Any] = {
        "columns": columns,
        "label": dataset.label.model_copy(update={"late": False}),
        "known_at": LOAD if dataset.known_at == LOAD else KNOWN_AT_UPLOAD,
        "features_from": (),
        "sensitive": (),
        "tables": (),
        "on_extra_column": "ignore",
        "on_missing_column": "missing_values",
    }
    return LabelFiles.model_construct(**_fields(dataset, Dataset) | changes)


def without_label(dataset: Dataset) -> Table:
    """Return the spec of a data set's rows without label and leaks."""
    columns = {name: column for name, column in dataset.columns.items() if name not in dataset.label_columns}
    return Table.model_construct(**_fields(dataset, Table) | {"columns": columns})


def has_labels_alone(table: Table) -> TypeGuard[Dataset]:
    """Return whether labels come on their own: in a label file, or in later rows because they come late."""
    return isinstance(table, LabelFiles) or (isinstance(table, Dataset) and table.label.late)


def _fields(dataset: Dataset, kind: type[Table]) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in kind.model_fields}
