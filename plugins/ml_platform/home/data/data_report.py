"""The report on the data of a data set, in a frame of its own, and the button that makes a new one."""

from threading import Lock

import streamlit as st

from ml_platform.home.downloads import report_address
from ml_platform.home.parts import acting
from ml_platform.home.parts.text import ago, size, when
from ml_platform.records import report_pages
from ml_platform.records.report_pages import DataReport
from ml_platform.specs.spec import Table

ONE_AT_A_TIME = Lock()  # a report takes all of a core, and hundreds of megabytes
HEIGHT = 900  # pixels; the report scrolls in its frame


def show(table: Table) -> None:
    """Draw the newest report, or an older one that the person chooses."""
    found = report_pages.data_reports(table.name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _choice(found)
        if st.button("Make a new report", icon=":material/refresh:", disabled=not acting.is_allowed()):
            _make(table)
    if chosen is None:
        st.info(
            "There is no report on these data yet. A report shows types, gaps, distributions, columns that may leak "
            "the label, and how the newest test file differs. Files must be there first.",
            icon=":material/info:",
        )
        return
    st.caption(f"Made {when(chosen.made_at)}, {ago(chosen.made_at)}; {size(chosen.bytes)}.")
    show_page(chosen.key, f"Report on the data of {table.name}")


def show_page(key: str, title: str) -> None:
    """Draw an HTML page of the bucket `reports`; the server takes its rights away, see `downloads.SANDBOX`."""
    st.iframe(report_address(key), height=HEIGHT, alt=title, tab_index=0)
    st.link_button("Open it in a tab of its own", report_address(key), icon=":material/open_in_new:")


def _choice(found: list[DataReport]) -> DataReport | None:
    if len(found) < 2:
        return found[0] if found else None
    return st.selectbox("Report", found, format_func=lambda report: when(report.made_at))


def _make(table: Table) -> None:
    from ml_platform.eda.data_report import publish  # here, because its libraries take seconds to load

    def make(_: str) -> str:
        with ONE_AT_A_TIME:
            publish(table.name)
        return f"The new report on the data of {table.name} is below."

    with st.spinner("Reading the newest rows, and making the report. It takes seconds, for large data a minute …"):
        acting.act("make a data report", make, dataset=table.name, target=table.name)
    st.rerun()
