"""Answer files: the rows that a person was asked about, with the labels that were filled in. They come in their bucket.

The platform writes them without labels (`ml-platform labels ask`). Only three columns of theirs are read again: the id
of the row, the label, and who gave it. The values of the row are kept in the database, as the model read them.
"""

from typing import Any

from ml_platform.specs.label_files import LabelFiles, label_files
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import KNOWN_AT_UPLOAD, LABEL_BUCKET, LABEL_FOLDER, Dataset, Table

BUCKET = LABEL_BUCKET
ASKED_FOLDER = "asked/"  # of the files to be filled in
ASK_ID = "ask_id"
LABELLED_BY = "labelled_by"
MODEL = "model: "  # precedes the names of the columns that a model adds


class AnswerFiles(LabelFiles):
    """The spec of a data set's answer files; `answer_files` makes it."""


def answer_files(dataset: Dataset) -> AnswerFiles:
    """Return the spec of a data set's answer files. A row without a label is not answered yet."""
    label = dataset.columns[dataset.label.column]
    others = (dataset.header(name) for name in (*dataset.columns, *dataset.keys) if name != dataset.label.column)
    added = (f"{MODEL}{name}" for name in ("prediction", "probability", "low", "high", "scored at"))
    joined = (name for name in dataset.features if name not in dataset.columns)
    changes: dict[str, Any] = {
        "entity": dataset.entity.model_copy(update={"key": (ASK_ID,), "features": ()}),
        "columns": {ASK_ID: Column(type="text"), dataset.label.column: label, LABELLED_BY: Column(type="text")},
        "label": dataset.label.model_copy(update={"late": True}),
        "event_time": None,
        "known_at": KNOWN_AT_UPLOAD,
        "leaks": (),
        "features_from": (),
        "sensitive": (),
        "tables": (),
        "ignore": (*dataset.ignore, *others, *added, *joined),
        "delimiter": None,  # the platform writes commas, and a spreadsheet of some countries semicolons
        "encoding": None,
        "on_bad_row": "reject_row",
        "max_bad_rows": 1.0,  # a few rows filled in by hand: one mistake does not reject the others
        "on_extra_column": "ignore",
        "on_missing_column": "reject_file",
    }
    fields = {name: getattr(dataset, name) for name in Dataset.model_fields}
    return AnswerFiles.model_construct(**fields | changes)


def spec_of_file(table: Table, key: str) -> Table:
    """Return the spec of the file with this object key: of answers, of label files, or that of the table."""
    if isinstance(table, Dataset) and key.startswith(table.answer_prefix):
        return answer_files(table)
    if isinstance(table, Dataset) and table.has_key and key.startswith(LABEL_FOLDER):
        return label_files(table)
    return table
