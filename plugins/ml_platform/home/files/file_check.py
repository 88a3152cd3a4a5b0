"""The check of a file before it is dropped: read by the parser of the load, and nothing is loaded."""

import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ml_platform.drafts import spec_check
from ml_platform.drafts.spec_check import Trial
from ml_platform.exceptions import ContractError
from ml_platform.home.parts.text import counted, plain, when
from ml_platform.ingestion import inbox_keys
from ml_platform.ingestion.inbox_keys import DropKind
from ml_platform.records import files
from ml_platform.records.files import File
from ml_platform.specs.spec import Table

LAST = "last check of a file"  # in the session: what was checked, and the result
DONE: dict[DropKind, str] = {"train": "loaded", "test": "scored", "label": "loaded"}


@dataclass(frozen=True)
class Result:
    """What would become of a file.

    Attributes:
        trial: what a load would do; None if the file cannot be read.
        refusal: why the whole file would be rejected; "" if it would not be.
        earlier: the same bytes, loaded before; None if they were not.
    """

    trial: Trial | None
    refusal: str
    earlier: File | None = None


def check(table: Table, kind: DropKind, file: Any) -> Result:
    """Return what would become of an uploaded file; it is read once for each choice.

    Raises:
        ConfigurationError: the spec allows a value that is not of its column's type.
        ServiceError: Postgres is not available.
    """
    what = (table.name, table.sha256, kind, file.file_id)
    last = st.session_state.get(LAST)
    if last is None or last[0] != what:
        with st.spinner("Reading the whole file, as a load would …"):
            last = st.session_state[LAST] = (what, _check(table, kind, file))
    result: Result = last[1]
    return result


def _check(table: Table, kind: DropKind, file: Any) -> Result:
    spec = inbox_keys.spec_of(table, kind)
    purpose = inbox_keys.purpose_of(kind)
    try:
        other = spec_check.loaded_label(table) if purpose == "train" else None
        trial = spec_check.try_stream(spec, file, purpose, repr(file.name), other_label=other)
    except ContractError as error:
        return Result(None, str(error))
    return Result(trial, trial.refusal, _loaded_before(table, file) if purpose == "train" else None)


def _loaded_before(table: Table, file: Any) -> File | None:
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return next((one for one in files.with_id(table, sha256) if one.state == "loaded"), None)


def show(result: Result, kind: DropKind) -> None:
    """Draw the result of a check."""
    if result.refusal:
        st.error("This file would be rejected as a whole:", icon=":material/block:")
        st.code(result.refusal, language=None, wrap_lines=True)
    if result.trial is None:
        return
    if not result.refusal:
        _verdict(result.trial, kind)
    if result.earlier:
        name, moment = plain(result.earlier.key), when(result.earlier.settled_at)
        st.info(f"The same file was loaded before: {name}, {moment}. It would change nothing.", icon=":material/info:")
    _bad_values(result.trial)
    for text in result.trial.warnings:
        st.warning(plain(text), icon=":material/warning:")


def _verdict(trial: Trial, kind: DropKind) -> None:
    good = trial.rows_read - trial.rows_rejected
    read = f"{counted(trial.rows_read, 'row')} read ({plain(trial.format)}); {good:,} would be {DONE[kind]}."
    if trial.rows_rejected:
        st.warning(
            f"{trial.rows_rejected:,} of {counted(trial.rows_read, 'row')} would be rejected. {read}",
            icon=":material/warning:",
        )
    else:
        st.success(f"No row would be rejected. {read}", icon=":material/check_circle:")


def _bad_values(trial: Trial) -> None:
    if trial.bad_values:
        rows = [
            {"line": bad.line, "column": bad.column or "(the row)", "value": bad.value, "reason": bad.reason}
            for bad in trial.bad_values
        ]
        st.dataframe(rows, hide_index=True, alt="The first values that would be rejected, with their reasons")
    if trial.duplicate_rows:
        st.caption(f"{trial.duplicate_rows:,} of them repeat the key and event time of an earlier row.")
