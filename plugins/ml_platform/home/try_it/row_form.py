"""The fields of a row, made from the spec: each has the values that are known, and says what is allowed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import streamlit as st

from ml_platform.home.parts.text import plain
from ml_platform.parsing.allowed import allowed_texts
from ml_platform.parsing.conversion import value_text
from ml_platform.parsing.layout import columns_of, required_columns
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import Dataset

PER_LINE = 3
MOST_EXACT = 2**53  # a browser rounds larger whole numbers, so they are texts
YES, NO = "yes", "no"
FIELD = "field of a row"


class Field(NamedTuple):
    """One field: its column, its key in the session, its value at first, and the values that are known."""

    name: str
    column: Column
    key: str
    value: Any
    known: Sequence[str]


def fields(dataset: Dataset, row: Mapping[str, Any], known: Mapping[str, Sequence[str]], version: int) -> list[Field]:
    """Return the fields of a row of a test file.

    Args:
        dataset: the spec.
        row: the values at first, by column.
        known: the values that a category has in loaded rows.
        version: another one makes new fields, with the values of `row`.
    """
    return [
        Field(name, column, f"{FIELD} {dataset.name} {version} {name}", row.get(name), known.get(name, ()))
        for name, column in columns_of(dataset, "test").items()
    ]


def draw(dataset: Dataset, drawn: Sequence[Field], problems: Mapping[str, str]) -> None:
    """Draw fields, in lines of three.

    Args:
        dataset: the spec.
        drawn: the fields.
        problems: why a value is bad, by the column's name in the file.
    """
    required, allowed = required_columns(dataset, "test"), allowed_texts(dataset, "test")
    for start in range(0, len(drawn), PER_LINE):
        columns = st.columns(PER_LINE)
        for place, field in enumerate(drawn[start : start + PER_LINE]):
            header = dataset.header(field.name)
            label = f"{plain(header)} (required)" if field.name in required else plain(header)
            with columns[place]:
                _draw(field, label, plain(allowed[start + place]))
                if header in problems:
                    st.error(plain(problems[header]), icon=":material/error:")


def _draw(field: Field, label: str, help: str) -> None:
    kind, value = field.column.type, field.value
    if kind == "boolean":
        index = None if value is None else [YES, NO].index(YES if value else NO)
        st.selectbox(label, [YES, NO], index=index, key=field.key, help=help, placeholder="missing")
    elif kind == "category":
        options = list(dict.fromkeys([*field.known, *([str(value)] if value is not None else [])]))
        index = None if value is None else options.index(str(value))
        st.selectbox(
            label, options, index=index, key=field.key, help=help, placeholder="missing", accept_new_options=True
        )
    elif kind in ("text", "timestamp") or _is_too_long(value):
        st.text_input(label, _text(field.column, value), key=field.key, help=help, placeholder="missing")
    elif kind == "integer":
        st.number_input(label, value=value, step=1, key=field.key, help=help, placeholder="missing")
    else:
        st.number_input(
            label, value=None if value is None else float(value), format="%.15g", step=1.0, key=field.key, help=help,
            placeholder="missing",
        )  # fmt: skip


def _is_too_long(value: Any) -> bool:
    return isinstance(value, int) and abs(value) > MOST_EXACT


def _text(column: Column, value: Any) -> str:
    if isinstance(value, datetime):
        local = value.astimezone(ZoneInfo(column.zone))
        return local.strftime(column.format) if column.format else value.isoformat()
    return "" if value is None else value_text(value)


def row(dataset: Dataset, drawn: Sequence[Field]) -> dict[str, Any]:
    """Return what is in the fields, by the columns' names in the file, as a program sends it; None is missing."""
    return {dataset.header(field.name): _value(field, st.session_state.get(field.key)) for field in drawn}


def _value(field: Field, entered: Any) -> Any:
    if entered is None or entered == "":
        return None
    if field.column.type == "boolean":
        return bool(entered == YES)
    if field.column.type == "integer" and isinstance(entered, float):
        return int(entered)
    return entered
