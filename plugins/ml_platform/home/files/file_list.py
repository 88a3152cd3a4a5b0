"""The list of all files of a data set, the newest first, in pages."""

from typing import Any, get_args

import streamlit as st

from ml_platform.home.files import file_panel
from ml_platform.home.parts.text import counted
from ml_platform.ingestion.dropping import Kind
from ml_platform.records import files, senders
from ml_platform.records.files import File, State
from ml_platform.specs.spec import Table

PAGE = 25  # files
KINDS: dict[Kind, str] = {"train": "training", "test": "to be scored", "label": "labels alone", "answer": "answers"}


def show(table: Table) -> None:
    """Draw the list, and the file that is chosen in it."""
    st.header("All files")
    kinds, states = _filters(table)
    number = st.session_state.get(_page_key(table), 1)
    page = files.files(table, kinds=kinds, states=states, limit=PAGE, offset=(number - 1) * PAGE)
    if not page.total:
        st.info("There is no such file." if kinds or states else "No file was dropped yet.", icon=":material/info:")
        return
    known = senders.senders(table, page.files)
    st.caption(f"{counted(page.total, 'file')}. Choose a row to see its report and what can be downloaded.")
    chosen = st.dataframe(
        [_row(one, known.get(one)) for one in page.files],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"files {table.name} {number} {kinds} {states}",
        placeholder="–",
        column_config={"dropped (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")},
        alt=f"The files of {table.name} with their states and rows",
    )
    if page.total > PAGE:
        st.pagination(-(-page.total // PAGE), key=_page_key(table))
    if chosen.selection.rows and chosen.selection.rows[0] < len(page.files):
        file = page.files[chosen.selection.rows[0]]
        with st.container(border=True):
            st.subheader("The chosen file")
            file_panel.show(table, file, known.get(file))


def _page_key(table: Table) -> str:
    return f"page of files {table.name}"


def _filters(table: Table) -> tuple[list[Kind], list[State]]:
    def first_page() -> None:
        st.session_state.pop(_page_key(table), None)

    with st.container(horizontal=True):
        kinds = st.multiselect(
            "For", list(KINDS), format_func=lambda kind: KINDS[kind], key=f"kinds {table.name}",
            placeholder="all", on_change=first_page,
        )  # fmt: skip
        states = st.multiselect(
            "State", list(get_args(State)), key=f"states {table.name}", placeholder="all", on_change=first_page
        )
    return kinds, states


def _row(file: File, sender: str | None) -> dict[str, Any]:
    return {
        "dropped (UTC)": file.uploaded_at,
        "file": file.key,
        "for": KINDS[file.kind],
        "state": file.state,
        "by": sender or "",
        "read": file.rows_read if file.is_settled else None,
        "loaded": file.rows_loaded if file.is_settled and file.kind != "test" else None,
        "rejected": file.rows_rejected if file.is_settled else None,
        "already there": file.rows_present if file.is_settled and file.kind != "test" else None,
        "warnings": len(file.warnings) or None,
    }
