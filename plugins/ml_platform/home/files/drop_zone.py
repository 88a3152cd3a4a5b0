"""The drop zone: choose a file, see what would become of it, and put it into the inbox."""

from functools import partial
from typing import Any

import streamlit as st

from ml_platform.exceptions import ServiceError
from ml_platform.home.files import file_check, followed_file
from ml_platform.home.parts import acting
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.ingestion import dropping, inbox_keys
from ml_platform.ingestion.inbox_keys import DropKind
from ml_platform.records import senders
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store

ROUND = "files dropped in this session"  # so that the drop zone is empty after each
TITLES: dict[DropKind, str] = {"train": "Training", "test": "To be scored", "label": "Labels alone"}
HELP = "Labels alone: a file with the key and the label of rows whose features came in other files."


def show(table: Table) -> None:
    """Draw the drop zone of a data set or feature table."""
    st.header("Drop a file")
    number = st.session_state.setdefault(ROUND, 0)
    file = st.file_uploader(
        "CSV, JSON lines or Parquet, also gzipped. It is checked first, and nothing is loaded yet.",
        key=f"file {table.name} {number}",
    )
    if file is None:
        return
    kind = _kind(table, file)
    with may_be_missing("The check"):
        result = file_check.check(table, kind, file)
        file_check.show(result, kind)
        label = "Drop it" if acting.is_allowed() else "Drop it (for operators)"
        if st.button(label, type="primary", disabled=bool(result.refusal) or not acting.is_allowed()):
            _drop(table, kind, file)


def _kind(table: Table, file: Any) -> DropKind:
    kinds = inbox_keys.kinds(table)
    chosen: DropKind | None = st.segmented_control(
        "What is it for?",
        kinds,
        default=inbox_keys.guessed_kind(table, file.name),
        format_func=lambda kind: TITLES[kind],
        required=True,
        key=f"kind {table.name} {file.file_id}",
        help=HELP if "label" in kinds else None,
    )
    return chosen or kinds[0]


def _drop(table: Table, kind: DropKind, file: Any) -> None:
    place = inbox_keys.new_place(table, kind, file.name)

    def put(_: str) -> str:
        file.seek(0)
        if dropping.drop(place, iter(partial(file.read, object_store.CHUNK_BYTES), b"")) is None:
            raise ServiceError(f"{place.key} is in the inbox already; drop the file again")
        return f"The file is in the inbox, as {place.key}."

    target = senders.target_of(place.bucket, place.key)
    if acting.act(senders.DROP, put, dataset=table.name, target=target):
        st.session_state[ROUND] += 1
        followed_file.follow(target)
    st.rerun()
