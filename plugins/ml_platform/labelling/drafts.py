"""Answers that a person gives one by one: each is kept at once, and all are handed in as one answer file.

A file becomes one upload, and may start one training; so answers are collected. Until they are handed in they can be
taken back. The file is like one that was filled in with a spreadsheet: `ingestion/answers.py` loads it.
"""

import csv
import io
import logging
from datetime import UTC, datetime

import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import display_text
from ml_platform.ingestion.label_values import loaded_other_value
from ml_platform.parsing.conversion import convert
from ml_platform.parsing.labels import class_text
from ml_platform.parsing.layout import columns_of
from ml_platform.specs.answer_files import ASK_ID, BUCKET, LABELLED_BY
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, rows, transaction

log = logging.getLogger(__name__)


def choices(dataset: Dataset) -> tuple[str, ...]:
    """Return the labels that a row can have, as they are written in files; empty if the label is a number.

    Where the spec names only the positive one, the other is that of the loaded rows, and first.

    Raises:
        ConfigurationError: the label column cannot hold the positive value.
        ServiceError: Postgres is not available.
    """
    if not dataset.label.names_positive_only:
        return tuple(map(class_text, dataset.label.values))
    other = loaded_other_value(dataset)
    return (*([other] if other else []), class_text(dataset.label.positive))


def keep(dataset: Dataset, ask_id: str, label: str, by: str) -> str:
    """Keep the answer about a row, unless there is one; return who gave the one that counts.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        ask_id: of the row.
        label: as it is written in files.
        by: the person who answers.

    Raises:
        ContractError: the spec does not allow this label.
        ServiceError: Postgres is not available, or nobody was asked about this row.
    """
    _check(dataset, label)
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO labelling.drafts (dataset, ask_id, label, labelled_by) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            (dataset.name, ask_id, label, by),
        )
        statement = "SELECT labelled_by FROM labelling.drafts WHERE (dataset, ask_id) = ($1, $2)"
        ((labelled_by,),) = rows(cursor, statement, dataset.name, ask_id)
    return str(labelled_by)


def _check(dataset: Dataset, label: str) -> None:
    column = columns_of(dataset, "train")[dataset.label.column]
    _, reasons = convert(pa.array([label], pa.string()), column, required=True, missing=dataset.missing)
    if reasons:
        raise ContractError(f"{dataset.header(dataset.label.column)} {display_text(label)!r}: {reasons[0]}")


def take_back(dataset: Dataset, by: str) -> str | None:
    """Remove a person's newest answer that is not handed in; return the id of its row, None if there is none."""
    removed = fetch(
        "DELETE FROM labelling.drafts WHERE (dataset, ask_id) = (SELECT dataset, ask_id FROM labelling.drafts"
        " WHERE dataset = $1 AND labelled_by = $2 AND file_key IS NULL ORDER BY given_at DESC LIMIT 1)"
        " RETURNING ask_id",
        *(dataset.name, by),
    )
    return str(removed[0][0]) if removed else None


def hand_in(dataset: Dataset, by: str) -> tuple[str, int] | None:
    """Write a person's answers to the bucket `label`, as one file; return its key and their number, None without any.

    Raises:
        ServiceError: a server failed; the answers stay as they are. Run it again.
    """
    key = f"{dataset.answer_prefix}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    with transaction() as cursor:
        given = rows(
            cursor,
            "UPDATE labelling.drafts SET file_key = $3 WHERE dataset = $1 AND labelled_by = $2 AND file_key IS NULL"
            " RETURNING ask_id, label, labelled_by",
            *(dataset.name, by, key),
        )
        if not given:
            return None
        # The last step: without a commit the same answers are handed in again, and are already there.
        object_store.put_new(BUCKET, key, _csv(dataset, given), "text/csv; charset=utf-8")
    log.info("%s: %d answers were handed in: %s", dataset.name, len(given), key)
    return key, len(given)


def _csv(dataset: Dataset, given: list[tuple[str, str, str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([ASK_ID, dataset.header(dataset.label.column), LABELLED_BY])
    writer.writerows(sorted(given))
    return text.getvalue().encode()
