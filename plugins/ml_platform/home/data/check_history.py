"""The checks of a data set: the newest verdict, how they went over time, and the page of each."""

from datetime import datetime
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from ml_platform.home.data.data_report import show_page
from ml_platform.home.parts.text import ago, counted, plain, when
from ml_platform.monitoring.checks import Kind
from ml_platform.records import checks
from ml_platform.records.checks import Check
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRIC_TITLES

EMPTY = {
    "drift": "Rows are compared with those of the training once {rows:,} of them are scored. Drop test files, or send "
    "rows to the HTTP service.",
    "performance": "The performance is measured when the truth about scored rows is known: drop training or label "
    "files with rows that were scored before.",
}
Point = tuple[datetime, float | None, str]
HEIGHT = 260  # pixels of the chart


def show(dataset: Dataset, *kinds: Kind) -> None:
    """Draw the checks of some kinds."""
    found = [check for kind in kinds for check in checks.checks(dataset.name, kind)]
    found.sort(key=lambda check: check.end, reverse=True)
    if not found:
        st.info(f"There was no check yet. {EMPTY[kinds[0]].format(rows=dataset.monitor.rows)}", icon=":material/info:")
        return
    _verdict(found[0])
    if len(found) > 1:
        _chart(found)
    chosen = _table(found)
    if chosen.report_key:
        st.subheader("The page of the newest check" if chosen is found[0] else "The page of the chosen check")
        show_page(chosen.report_key, f"The check for {chosen.kind} of {when(chosen.end)}")


def _verdict(newest: Check) -> None:
    text = f"{plain(newest.sentence or newest.verdict)}"
    if newest.is_bad:
        st.error(text, icon=":material/trending_down:")
    else:
        st.success(text, icon=":material/check_circle:")
    st.caption(
        f"{counted(newest.rows, 'row')} scored by version {newest.version} until {when(newest.end)}; "
        f"checked {ago(newest.checked_at)}."
    )


def _chart(found: list[Check]) -> None:
    """Draw drift as the number of differences, a performance as its metric beside the promise."""
    if found[0].kind == "drift":
        points: list[Point] = [(one.end, one.differences, "differences that are drift") for one in found]
        title = "Differences that are drift"
    else:
        metric = METRIC_TITLES.get(found[0].metric or "", found[0].metric)
        points = [(one.end, one.seen, "seen") for one in found] + [(one.end, one.promised, "promised") for one in found]
        title = str(metric)
    frame = pd.DataFrame([point for point in points if point[1] is not None], columns=["until", "value", "what"])
    chart = (
        alt.Chart(frame, height=HEIGHT)
        .mark_line(point=True)
        .encode(
            alt.X("until:T", title="Rows scored until (UTC)"),
            alt.Y("value:Q", title=title),
            alt.Color("what:N", title=None),
            alt.StrokeDash("what:N", title=None),  # not by colour alone
            tooltip=["until:T", "value:Q", "what:N"],
        )
    )
    st.altair_chart(chart, alt=f"{title} of the last {counted(len(found), 'check')}; the table below has the numbers")


def _table(found: list[Check]) -> Check:
    """Draw the table, and return the check of the chosen row, or the newest."""
    kinds = {check.kind for check in found}
    chosen = st.dataframe(
        [_row(check, has_kind=len(kinds) > 1) for check in found],
        hide_index=True, on_select="rerun", selection_mode="single-row", key=f"checks {found[0].kind}",
        alt="The checks, the newest first", placeholder="–",
        column_config={"rows until (UTC)": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")},
    )  # fmt: skip
    places = chosen.selection.rows
    return found[places[0]] if places and places[0] < len(found) else found[0]


def _row(check: Check, *, has_kind: bool) -> dict[str, Any]:
    measured: dict[str, Any] = (
        {"drift": check.differences, "of": check.tests}
        if check.kind == "drift"
        else {"seen": check.seen, "promised": check.promised}
    )
    kind = {"kind": check.kind} if has_kind else {}
    return {
        "rows until (UTC)": check.end, **kind, "verdict": check.verdict, "version": check.version, "rows": check.rows,
        **measured, "compared with": check.reference, "checked by": check.checked_by,
    }  # fmt: skip
