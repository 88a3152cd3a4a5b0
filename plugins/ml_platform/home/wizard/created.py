"""The end of the page New data set: it is created, its pipelines are switched on, and the file is dropped."""

from dataclasses import dataclass

import streamlit as st

from ml_platform.drafts.wizard import Wizard
from ml_platform.exceptions import ConfigurationError
from ml_platform.home.parts import acting
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.spec_editor import NEXT
from ml_platform.home.parts.text import plain
from ml_platform.home.wizard import state
from ml_platform.records import pipelines
from ml_platform.records.pipelines import Pipeline
from ml_platform.specs import saving
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store

CREATED = "new data set: created"
BUCKET = "train"
LOOK = 4  # seconds between two looks at Airflow


@dataclass(frozen=True)
class Created:
    """A data set that was just created.

    Attributes:
        table: its spec.
        object_key: under which the file is dropped.
    """

    table: Table
    object_key: str


def is_there() -> bool:
    """Return whether this session has just created a data set."""
    return CREATED in st.session_state


def is_allowed() -> bool:
    """Return whether this person may create one."""
    return acting.is_allowed()


def create(wizard: Wizard) -> None:
    """Create the data set in the person's name, and show what comes next."""
    table, object_key = wizard.table(), wizard.object_key()

    def do(_: str) -> str:
        if problems := wizard.check().problems:  # somebody else may have made a data set meanwhile
            raise ConfigurationError("\n".join(problems))
        saving.save(wizard.spec_path, wizard.text(), expected=saving.NOT_THERE)
        return f"{wizard.spec_path.name} is created. {NEXT}"

    if acting.act("create the data set", do, dataset=table.name, target=wizard.spec_path.name):
        st.session_state[CREATED] = Created(table, object_key)
    st.rerun()


def show() -> None:
    """Draw what comes next."""
    created: Created = st.session_state[CREATED]
    name = created.table.name
    st.header(f"{plain(name)} is created")
    st.subheader("Switch its pipelines on")
    st.fragment(_pipelines, run_every=LOOK)(created.table)
    st.subheader("Drop the first file")
    _drop(created)
    st.subheader("Then")
    st.write("When the rows are loaded, a model is trained by itself. Drop further files on the page Files.")
    with st.container(horizontal=True):
        link("files", f"Files of {name}", name)
        link("spec", f"Spec of {name}", name)
        st.button("Another data set", on_click=_end, icon=":material/add_circle:")


def _pipelines(table: Table) -> None:
    with may_be_missing("The pipelines"):
        found = pipelines.pipelines(table)
        for pipeline in found:
            st.text(f"{pipeline.dag_id}: {_state(pipeline)}")
        is_ready = bool(found) and all(pipeline.is_there for pipeline in found)
        is_on = all(pipeline.is_on for pipeline in found)
        if st.button("Switch them on", type="primary", disabled=not is_ready or is_on or not acting.is_allowed()):
            _switch_on(table)


def _state(pipeline: Pipeline) -> str:
    if not pipeline.is_there:
        return "Airflow has not read it yet; this takes up to 40 seconds"
    return "on" if pipeline.is_on else "off: nothing happens with files yet"


def _switch_on(table: Table) -> None:
    def do(_: str) -> str:
        pipelines.switch_on(table)
        return f"The pipelines of {table.name} are on."

    acting.act("switch the pipelines on", do, dataset=table.name, target=table.name)
    st.rerun()


def _drop(created: Created) -> None:
    wizard = state.current()
    if wizard is None:
        st.text(f"The file is in the bucket {BUCKET}, as {created.object_key}. It is loaded when its pipeline is on.")
        return
    st.write("The file that you dropped is not stored yet. It can be the first training file.")
    if st.button("Drop it as the first training file", type="primary", disabled=not acting.is_allowed()):
        _put(created, wizard)


def _put(created: Created, wizard: Wizard) -> None:
    def do(_: str) -> str:
        with wizard.file.open("rb") as file:
            if not object_store.put_new(BUCKET, created.object_key, file):
                raise ConfigurationError(f"{BUCKET}/{created.object_key} is there already, and was not replaced")
        return f"{created.object_key} is in the bucket {BUCKET}."

    if acting.act("drop a file", do, dataset=created.table.name, target=created.object_key):
        state.forget()
    st.rerun()


def _end() -> None:
    state.forget()
    st.session_state.pop(CREATED, None)
