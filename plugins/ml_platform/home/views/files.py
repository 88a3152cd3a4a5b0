"""The page Files of a data set: drop a file, follow it, and see what became of all others."""

import streamlit as st

from ml_platform.home.files import drop_zone, file_list, followed_file
from ml_platform.home.parts import screens, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.specs.spec import Dataset, Table


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Files of {dataset.name}")
    table = _table(dataset)
    followed_file.show(table)
    drop_zone.show(table)
    with may_be_missing("The files"):
        file_list.show(table)
    _screens(table)


def _table(dataset: Dataset) -> Table:
    """Return the data set, or the feature table that the person chooses of those that it joins."""
    tables: dict[str, Table] = {table.name: table for table in (dataset, *dataset.tables)}
    if len(tables) == 1:
        return dataset
    chosen = st.segmented_control(
        "Files of the data set, or of a table that it joins",
        list(tables),
        default=dataset.name,
        required=True,
        key="table",
        bind="query-params",
    )
    return tables.get(chosen or dataset.name, dataset)


def _screens(table: Table) -> None:
    dags = [f"ingest_{table.name}", *([f"test_{table.name}"] if isinstance(table, Dataset) else [])]
    screens.show(
        *((f"bucket {bucket}", "bucket", bucket) for bucket in ("train", "test", "result")),
        *((f"DAG {dag_id}", "dag", dag_id) for dag_id in dags),
        ("table uploads.arrivals", "table", "uploads.arrivals"),
    )
