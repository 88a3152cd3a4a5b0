"""Ask people about scored rows: choose them, write a file to be filled in, and record them; none is asked twice.

`ml-platform labels ask` calls it. The filled-in file is loaded by `ingestion/answers.py`.
"""

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml_platform.exceptions import ConfigurationError
from ml_platform.labelling import scored_rows
from ml_platform.labelling.scored_rows import ScoredFile, ScoredRow
from ml_platform.labelling.selection import select
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.result_files import CsvResult
from ml_platform.specs.answer_files import ASK_ID, ASKED_FOLDER, BUCKET, LABELLED_BY, MODEL
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import ensure_tables, feature_columns
from ml_platform.training.training_set import model_input

log = logging.getLogger(__name__)

LINE = "line"


@dataclass(frozen=True)
class Questions:
    """What was asked.

    Attributes:
        dataset: name of the data set.
        version: of the model that scored the rows.
        rows: number of rows that are asked about.
        key: of the file to be filled in, in the bucket `label`; None if there was nothing to ask.
        scored: number of scored rows that were looked at.
        left_out: how many of them were left out, by reason.
        without_file: rows scored over HTTP or in a stream; their features are not kept, so they are never asked about.
    """

    dataset: str
    version: int
    rows: int
    key: str | None
    scored: int
    left_out: dict[str, int] = field(default_factory=dict)
    without_file: int = 0


def ask(dataset: Dataset, count: int, by: str, labeller: str = "") -> Questions:
    """Choose scored rows, and write them to the bucket `label` to be filled in; each row is asked about once.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        count: number of rows, at most.
        by: the person who asks.
        labeller: who will answer; stands in the file already.

    Raises:
        ConfigurationError: the hold-out is by time, or a column has a name that the file needs.
        RegistryError: no model is live, or it cannot be loaded.
        ContractError: a scored file is not what it was when it was scored.
        ServiceError: a server failed; run it again.
    """
    _refuse_unsuitable(dataset)
    ensure_tables(dataset)
    model = registry.load_champion(dataset.name)
    files = list(scored_rows.scored_files(model, dataset))
    identified = [row for file in files for row in scored_rows.identities(dataset, file)]
    without_file = scored_rows.rows_without_file(model)
    if not identified:
        return Questions(dataset.name, model.version, 0, None, 0, {}, without_file)
    with transaction() as cursor:
        lock(cursor, f"ask {dataset.name}")
        mask, left_out = scored_rows.candidates(cursor, dataset, files, identified)
        key, chosen = None, 0
        if mask.any():
            table, records = _questions(
                model, dataset, _filtered(files, mask), _kept(identified, mask), count, labeller
            )
            key, chosen = (
                f"{ASKED_FOLDER}{dataset.answer_prefix}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv",
                len(records),
            )
            _record(cursor, dataset, model, key, by, records)
            # The last step: without a commit, the file is one that nobody asked for, and its answers are rejected.
            object_store.put_new(BUCKET, key, _csv(table), "text/csv; charset=utf-8")
    log.info("%s: asked about %d rows", dataset.name, chosen)
    return Questions(dataset.name, model.version, chosen, key, len(identified), dict(left_out), without_file)


def _refuse_unsuitable(dataset: Dataset) -> None:
    where = f"datasets/{dataset.name}.yaml"
    if dataset.holdout_by == "time":
        raise ConfigurationError(
            f"{dataset.name}: the hold-out is the latest rows (gate.holdout_by: time), and rows that are scored now"
            " will be among them. Rows that are chosen to be asked about are no random sample, so the gate could not"
            f" be trusted any more. To ask, set gate.holdout_by: entity in {where}"
        )
    headers = {dataset.header(name) for name in (*dataset.columns, *dataset.keys)}
    if taken := sorted(headers & {ASK_ID, LABELLED_BY}):
        raise ConfigurationError(
            f"{dataset.name}: a file to be filled in has columns of its own named {ASK_ID} and {LABELLED_BY}, and"
            f" {where} has {', '.join(taken)}; give that column another name"
        )


def _filtered(files: Sequence[ScoredFile], mask: NDArray[np.bool_]) -> list[ScoredFile]:
    ends = np.cumsum([file.rows.num_rows for file in files])[:-1]
    return [file.filter(part) for file, part in zip(files, np.split(mask, ends), strict=True)]


def _kept(identified: Sequence[ScoredRow], mask: NDArray[np.bool_]) -> list[ScoredRow]:
    return [row for row, is_kept in zip(identified, mask, strict=True) if is_kept]


def _questions(
    model: LoadedModel,
    dataset: Dataset,
    files: Sequence[ScoredFile],
    identified: Sequence[ScoredRow],
    count: int,
    labeller: str,
) -> tuple[pa.Table, list[tuple[Any, ...]]]:
    """Return the table to be filled in, and what is recorded of its rows: see `_record`."""
    frame = scored_rows.frame_of(model, files)
    outputs, predictions = model.predict(frame)
    uncertainty = model.task.uncertainty(outputs)
    positions = select(model_input(model.dataset, frame), uncertainty, count)
    own = pa.Table.from_batches([file.rows for file in files]).take(pa.array(positions)).drop_columns([LINE])
    rows = [identified[position] for position in positions]
    names = [name for name in map(str, frame) if name not in (*own.schema.names, LINE)]
    joined = {name: pa.array(frame[name].iloc[positions]) for name in names}
    predicted = model.task.log_columns(outputs[positions], predictions[positions])
    blank = pa.array([""] * len(rows), pa.string())
    columns: dict[str, Any] = {
        ASK_ID: pa.array([row.ask_id for row in rows], pa.string()),
        dataset.header(dataset.label.column): blank,
        LABELLED_BY: pa.array([labeller] * len(rows), pa.string()),
        **{f"{MODEL}{name}": pa.array(values) for name, values in predicted.items()},
        f"{MODEL}scored at": pa.array(_uploaded(files)[positions].tolist(), pa.timestamp("s", tz="UTC")),
        **{model.dataset.header(name): own.column(name) for name in own.schema.names},
        **joined,
    }
    stored = {*dataset.keys, *feature_columns(dataset)} & set(own.schema.names)
    values = own.select([name for name in own.schema.names if name in stored]).to_pylist()
    records = list(zip(rows, values, uncertainty[positions].tolist(), strict=True))
    return pa.table(columns), records


def _uploaded(files: Sequence[ScoredFile]) -> NDArray[np.object_]:
    return np.array([file.uploaded for file in files for _ in range(file.rows.num_rows)], dtype=object)


def _csv(table: pa.Table) -> bytes:
    """Return a table as CSV that no spreadsheet runs as a formula."""
    filled = [pc.fill_null(column, "") if pa.types.is_string(column.type) else column for column in table.columns]
    table = pa.table(dict(zip(table.schema.names, filled, strict=True))).combine_chunks()
    out = io.BytesIO()
    result = CsvResult(out, table.schema)
    for batch in table.to_batches():
        result.write(batch)
    result.close()
    return out.getvalue()


def _record(
    cursor: Any, dataset: Dataset, model: LoadedModel, key: str, by: str, records: Sequence[tuple[Any, ...]]
) -> None:
    """Record the rows that are asked about: each with its values as they were scored, and its uncertainty."""
    entries = [
        (
            *(dataset.name, row.ask_id, json.dumps(row.key), row.moment.isoformat()),
            *(json.dumps(values, default=datetime.isoformat), model.version, uncertainty, key, by),
        )
        for row, values, uncertainty in records
    ]
    cursor.executemany(
        "INSERT INTO labelling.asked (dataset, ask_id, entity_key, event_time, scored_values, model_version,"
        " uncertainty, file_key, asked_by) VALUES ($1, $2, $3::text::jsonb, $4::text::timestamptz,"
        " $5::text::jsonb, $6::int, $7::float8, $8, $9)",
        entries,
    )
