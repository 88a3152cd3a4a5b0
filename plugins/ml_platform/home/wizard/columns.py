"""The columns of a new data set, a row each: type and use to be corrected by clicking, and the evidence beside them."""

from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ml_platform.drafts.column_review import ColumnRow, Use
from ml_platform.drafts.wizard import Wizard
from ml_platform.home.parts.text import counted, plain
from ml_platform.home.wizard import state
from ml_platform.specs.parts import ColumnType

SHOWN = 25  # columns of one part of the list
WIDTHS = (3, 2.6, 2.4, 1.3, 5)
USES: dict[Use, str] = {"feature": "feature", "leak": "leak", "ignore": "not read"}


def show(wizard: Wizard, rows: list[ColumnRow]) -> None:
    """Draw the columns; of a long list one part."""
    st.subheader(counted(len(rows), "column"))
    st.caption(
        "A leak is known only with the label; no model sees it. By groups of a sensitive column models are judged; "
        "they do not see it either."
    )
    only_doubts = st.toggle("Only columns with doubts", key=state.key_of("doubts"))
    rows = [row for row in rows if not only_doubts or _doubts(row)]
    parts = -(-len(rows) // SHOWN)
    part = st.pagination(parts, key=state.key_of("part")) if parts > 1 else 1
    for cell, title in zip(st.columns(WIDTHS), ("Column", "Type", "Use", "Sensitive", "Evidence"), strict=True):
        cell.caption(title)
    for row in rows[(part - 1) * SHOWN : part * SHOWN]:
        _row(wizard, row)


def _doubts(row: ColumnRow) -> list[str]:
    asked = row.evidence.rpartition("; ")[2]
    return [*row.notes, *([asked] if asked.endswith("?") or asked.startswith("does not fit") else [])]


def _row(wizard: Wizard, row: ColumnRow) -> None:
    """Draw a row. The labels are hidden, so they are no Markdown: screen readers read them as they are."""
    name, kind, use, sensitive, evidence = st.columns(WIDTHS, vertical_alignment="center")
    name.text(row.name)
    if row.header != row.name:
        name.caption(f"in the file: {plain(row.header)}")
    types = get_args(ColumnType)
    kind.selectbox(
        f"Type of {row.name}", types, types.index(row.type), key=_key("type", row), label_visibility="collapsed",
        on_change=_set_type, args=(row.name, _key("type", row)),
    )  # fmt: skip
    if row.role:
        use.text(row.role)
    else:
        _use(use, wizard, row)
    if row.may_be_sensitive and row.use == "feature" and not wizard.answers.is_table:
        sensitive.checkbox(
            f"{row.name} is sensitive", row.is_sensitive, key=_key("sensitive", row), on_change=_set_sensitive,
            args=(row.name, _key("sensitive", row)), label_visibility="collapsed",
        )  # fmt: skip
    evidence.text(row.evidence)
    for note in row.notes:
        evidence.text(f"⚠ {note}")


def _use(cell: DeltaGenerator, wizard: Wizard, row: ColumnRow) -> None:
    uses: list[Use] = [use for use in get_args(Use) if use != "leak" or not wizard.answers.is_table]
    cell.selectbox(
        f"Use of {row.name}", uses, uses.index(row.use), key=_key("use", row), label_visibility="collapsed",
        format_func=lambda use: "stored, no feature" if use == "feature" and row.type == "text" else USES[use],
        on_change=_set_use, args=(row.name, _key("use", row)),
    )  # fmt: skip


def _key(field: str, row: ColumnRow) -> str:
    return state.key_of(f"{field} of {row.name}")


def _set_type(name: str, key: str) -> None:
    if wizard := state.current():
        state.answer(types={**wizard.answers.types, name: st.session_state[key]})


def _set_use(name: str, key: str) -> None:
    if wizard := state.current():
        state.answer(uses={**wizard.answers.uses, name: st.session_state[key]})


def _set_sensitive(name: str, key: str) -> None:
    if wizard := state.current():
        others = wizard.answers.sensitive - {name}
        state.answer(sensitive=others | {name} if st.session_state[key] else others)
