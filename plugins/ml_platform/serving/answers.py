"""From a request's body to predictions: rows are parsed, checked and scored in the same way as rows of files."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.files.formats import display_text
from ml_platform.files.json_rows import ListRows, decode_json
from ml_platform.parsing.batches import BadValue, typed_batches
from ml_platform.parsing.layout import columns_of, needed_columns
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import scored_rows
from ml_platform.scoring.scored_rows import TOO_LARGE, ScoredRows
from ml_platform.serving.settings import MOST_ROWS
from ml_platform.specs.spec import Dataset, Table

REQUEST = "the request"
NOT_A_REQUEST = 'not of the form {"rows": [{...}, ...]} or {"entities": [{...}, ...]}'
MISSING_FIELD = "the row does not have this field; write null if the value is missing"


class PredictRequest(NamedTuple):
    """The content of a request: whole rows, or keys of entities. Numbers are kept as the text in the JSON.

    The SHA-256 of its bytes is for the ids of rows without a key, as that of a file is.
    """

    kind: Literal["rows", "entities"]
    rows: list[Any]
    sha256: str = ""


class BadRequestError(ContractError):
    """A request breaks the contract; the error has its problem, and each bad value of its rows."""

    def __init__(self, problem: str, bad: tuple[BadValue, ...] = ()) -> None:
        """Keep the problem and the bad values; `line` of a bad value is the number of the row, from 1."""
        super().__init__(problem)
        self.bad = bad


def parse_request(body: bytes) -> PredictRequest:
    """Parse a request's body: `{"rows": [{...}, ...]}` or `{"entities": [{...}, ...]}`.

    Raises:
        BadRequestError: the body is not JSON of this form, or has no rows or more than `MOST_ROWS`.
    """
    try:
        document = decode_json(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequestError(f"{REQUEST}: not valid UTF-8 at byte {error.start + 1}") from None
    except ValueError as error:
        raise BadRequestError(f"{REQUEST}: {error}") from None
    if not isinstance(document, dict) or set(document) not in ({"rows"}, {"entities"}):
        raise BadRequestError(f"{REQUEST}: {NOT_A_REQUEST}")
    ((kind, rows),) = document.items()
    if not isinstance(rows, list):
        raise BadRequestError(f"{REQUEST}: {NOT_A_REQUEST}")
    if not 1 <= len(rows) <= MOST_ROWS:
        raise BadRequestError(f"{REQUEST}: has {len(rows):,} {kind}; allowed are 1 to {MOST_ROWS:,}")
    return PredictRequest(kind, rows, sha256(body).hexdigest())


def typed_rows(dataset: Dataset, request: PredictRequest) -> pa.RecordBatch:
    """Return the rows to score, typed like the rows of a `test` file.

    Args:
        dataset: the spec that the model was trained with.
        request: rows, or keys of entities; the newest rows of entities come from the online store.

    Returns:
        Shape (n_rows, n_columns), in the order of the request.

    Raises:
        BadRequestError: rows are bad (the error has all bad values), a column is missing, an entity is unknown, or the
            data set has no key of entities.
        psycopg.Error: the online store is not available.
    """
    if request.kind == "rows":
        return _typed(dataset, request.rows, request.sha256)
    if not dataset.has_key:
        raise BadRequestError(f"{REQUEST}: {dataset.name} has no key by which entities could be looked up; send rows")
    from ml_platform.feature_store import online_rows  # here, because the import of Feast takes seconds

    keys = _typed_keys(dataset, request.rows)
    try:
        rows, unknown = online_rows.newest_rows(dataset, keys)
    except ConfigurationError as error:
        raise BadRequestError(f"{REQUEST}: {error}") from None
    if unknown:
        bad = tuple(_unknown(dataset, keys, i) for i in unknown)
        raise BadRequestError(f"{REQUEST}: {len(bad):,} of {len(request.rows):,} entities are unknown", bad)
    return rows


def _typed(table: Table, rows: list[Any], source: str) -> pa.RecordBatch:
    headers = [table.header(column) for column in columns_of(table, "test")]
    try:
        batches = list(typed_batches(ListRows(rows, REQUEST, headers), table, "test", source))
    except ContractError as error:
        raise BadRequestError(str(error)) from None
    bad_values = {(value.line, value.column): value for batch in batches for value in batch.bad}
    bad_values |= {(value.line, value.column): value for value in _missing_fields(table, rows)}
    if bad := tuple(bad_values[place] for place in sorted(bad_values, key=lambda place: place[0])):
        raise BadRequestError(f"{REQUEST}: {len({b.line for b in bad}):,} of {len(rows):,} rows are bad", bad)
    return pa.Table.from_batches([batch.rows for batch in batches]).combine_chunks().to_batches()[0]


def _missing_fields(table: Table, rows: list[Any]) -> Iterator[BadValue]:
    """Yield the fields that a row lacks and another row has.

    Alone, such a row would be rejected; it must also be rejected with other rows.
    """
    needed = {table.header(name).strip() for name in needed_columns(table, "test")}
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict) and not needed.issubset(row):
            for header in sorted(needed.difference(name.strip() for name in row)):
                yield BadValue(number, header, "", MISSING_FIELD)


def _typed_keys(dataset: Dataset, rows: list[Any]) -> pa.RecordBatch:
    headers = [dataset.header(key) for key in dataset.keys]
    fields = {name.strip() for row in rows if isinstance(row, dict) for name in row}
    if extra := sorted(map(display_text, fields - set(headers))):
        raise BadRequestError(f"{REQUEST}: an entity has only its key ({', '.join(headers)}), not {', '.join(extra)}")
    columns = {key: dataset.columns[key] for key in dataset.keys}
    declared = dataset.model_dump(include={"name", "description", "entity", "missing"})
    return _typed(Table(**declared, columns=columns), rows, "")


def _unknown(dataset: Dataset, keys: pa.RecordBatch, row: int) -> BadValue:
    cells = [str(keys.column(key)[row].as_py()) for key in dataset.keys]
    headers = ", ".join(dataset.header(key) for key in dataset.keys)
    reason = f"no {dataset.entity.name} with this key is in the online store; send its row"
    return BadValue(row + 1, headers, display_text(", ".join(cells)), reason)


def score(model: LoadedModel, rows: pa.RecordBatch, requested: datetime, n_reasons: int = 0) -> ScoredRows:
    """Score typed rows; see `scored_rows.score`.

    Raises:
        BadRequestError: the model gives a row no finite output.
        RegistryError: the model cannot score, or gives no reasons.
    """
    scored = scored_rows.score(model, rows, requested, n_reasons)
    if not scored.is_finite.all():
        bad = tuple(BadValue(int(row) + 1, "", "", TOO_LARGE) for row in np.flatnonzero(~scored.is_finite))
        raise BadRequestError(f"{REQUEST}: {len(bad):,} of {rows.num_rows:,} rows are bad", bad)
    return scored
