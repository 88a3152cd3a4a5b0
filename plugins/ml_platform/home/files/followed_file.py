"""The file in the address of the page: it is looked at until it is settled, also after the page is loaded again."""

from datetime import UTC, datetime, timedelta

import streamlit as st

from ml_platform.exceptions import PlatformError
from ml_platform.home.files import file_panel
from ml_platform.home.parts import acting
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.records import files, senders, switches
from ml_platform.records.files import File
from ml_platform.registry import registry
from ml_platform.specs.spec import Table

KEY = "file"  # in the address: bucket/key
EVERY = timedelta(seconds=1.5)  # between two looks
USUAL = timedelta(seconds=30)  # until a file is picked up


def follow(target: str) -> None:
    """Show a file, `bucket/key`, from the next view on."""
    st.query_params[KEY] = target


def show(table: Table) -> None:
    """Draw the file that the address names, if it names one."""
    bucket, _, key = st.query_params.get(KEY, "").partition("/")
    if not _is_of(table, bucket, key):  # such as after another data set was chosen
        st.query_params.pop(KEY, None)
        return
    with st.container(border=True):
        st.header("Your file")
        _show(table, bucket, key)
        if st.button("Close", icon=":material/close:", help="Hide this file; it stays in the list below"):
            del st.query_params[KEY]
            st.rerun()


def _is_of(table: Table, bucket: str, key: str) -> bool:
    places = (inbox for purpose in files.purposes(table) for inbox in table.inboxes(purpose))
    return any(bucket == place.bucket and key.startswith(place.prefix) for place in places)


def _show(table: Table, bucket: str, key: str) -> None:
    with may_be_missing("The file"):
        file = files.find(table, bucket, key)
        if file is None:
            st.warning("It is not in the inbox any more, and was never read.", icon=":material/search_off:")
        elif file.is_settled:
            file_panel.show(table, file, senders.senders(table, [file]).get(file))
            _next_step(table, file)
        else:
            _watch(table, bucket, key)


@st.fragment(run_every=EVERY)
def _watch(table: Table, bucket: str, key: str) -> None:
    """Look at a file again and again; the whole page is drawn when it is settled."""
    with may_be_missing("The file"):
        file = files.find(table, bucket, key)
        if file is None or file.is_settled:
            st.rerun()
        file_panel.show_state(file)
        if file.state == "waiting":
            _why_it_waits(table, file)


def _why_it_waits(table: Table, file: File) -> None:
    verb = "test" if file.kind == "test" else "ingest"
    dag_id = f"{verb}_{table.name}"
    switch = _switch(dag_id)
    if switch == "off":
        st.warning(f"{dag_id} is switched off in Airflow, so the file waits.", icon=":material/toggle_off:")
        if st.button("Switch it on", disabled=not acting.is_allowed()):
            _switch_on(table.name, dag_id)
    elif switch and _waits_long(file):
        st.caption("It waits longer than usual. Whether it is switched on in Airflow is not known:")
        st.code(f"{dag_id}: {switch}", language=None, wrap_lines=True)
    elif file.kind == "test" and not _has_model(table.name):
        st.info("No model is live yet. The file is scored when one is.", icon=":material/hourglass:")


def _waits_long(file: File) -> bool:
    return file.uploaded_at is not None and datetime.now(UTC) - file.uploaded_at > USUAL


def _switch_on(name: str, dag_id: str) -> None:
    def switch_on(_: str) -> str:
        switches.switch_on(dag_id)
        return f"{dag_id} is switched on."

    acting.act("switch on a DAG", switch_on, dataset=name, target=dag_id)
    _switch.clear()
    st.rerun()


@st.cache_data(ttl=10, max_entries=200, show_spinner=False)
def _switch(dag_id: str) -> str:
    """Return `off`, "" if the DAG is on, or why that is not known."""
    try:
        return "off" if switches.is_off(dag_id) else ""
    except PlatformError as error:
        return str(error)


@st.cache_data(ttl=10, max_entries=200, show_spinner=False)
def _has_model(name: str) -> bool:
    return registry.alias_version(name, registry.CHAMPION) is not None


def _next_step(table: Table, file: File) -> None:
    is_new = file.settled_at is not None and datetime.now(UTC) - file.settled_at < timedelta(hours=1)
    if file.state == "loaded" and file.kind != "test" and file.rows_loaded and is_new:
        st.info("A training with the new rows follows by itself.", icon=":material/arrow_forward:")
        link("runs", "Watch it under Runs")
