"""The page Predictions of a data set: how many, what they said, whether it came true, and all about one entity."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ml_platform.home.parts import screens, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted
from ml_platform.home.predictions import calibration_view, entity_view
from ml_platform.records import calibration, predictions
from ml_platform.records.calibration import Calibration
from ml_platform.records.predictions import Distribution, Step, Volume
from ml_platform.specs.spec import Dataset

VOLUME, DISTRIBUTION, CALIBRATION, ENTITY = "Volume", "Distribution", "Calibration", "One entity"
VIEWS = (VOLUME, DISTRIBUTION, CALIBRATION, ENTITY)
PERIODS: dict[str, tuple[timedelta, Step]] = {
    "24 hours": (timedelta(days=1), "hour"),
    "7 days": (timedelta(days=7), "hour"),
    "30 days": (timedelta(days=30), "day"),
    "90 days": (timedelta(days=90), "day"),
    "a year": (timedelta(days=366), "day"),
}
SOURCES = {"batch": "files", "http": "HTTP", "stream": "a stream"}
ALL = 0


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Predictions of {dataset.name}")
    view = st.segmented_control(
        "View", VIEWS, default=VOLUME, required=True, key="predictions_view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    if view == ENTITY:
        entity_view.draw(dataset)
    else:
        _over_time(dataset, view or VOLUME)
    _screens(dataset)


def _over_time(dataset: Dataset, view: str) -> None:
    choices = st.container(horizontal=True)
    with choices:
        period = st.selectbox("Period until now", list(PERIODS), index=1, key="period", bind="query-params", width=240)
    with may_be_missing("The predictions"):
        found = _volumes(dataset.name, period)
        if not found:
            st.info(
                "Nothing was predicted in this period. Drop a test file on the page **Files**, or ask about a row on "
                "the page **Try it**.",
                icon=":material/info:",
            )
        elif view == VOLUME:
            _volume(found, period)
        elif view == DISTRIBUTION:
            _distribution(dataset, period, _version(choices, found, may_be_all=True))
        else:
            _calibration(dataset, period, _version(choices, found, may_be_all=False))


def _since(period: str) -> datetime:
    return datetime.now(UTC) - PERIODS[period][0]


@st.cache_data(ttl=60, max_entries=200, show_spinner=False)
def _volumes(name: str, period: str) -> list[Volume]:
    return predictions.volumes(name, _since(period), PERIODS[period][1])


@st.cache_data(ttl=60, max_entries=200, show_spinner=False)
def _counted(_dataset: Dataset, sha256: str, period: str, version: int) -> Distribution:
    return predictions.distribution(_dataset, _since(period), version)


@st.cache_data(ttl=300, max_entries=200, show_spinner="Looking for labels that came later")
def _compared(_dataset: Dataset, sha256: str, period: str, version: int) -> Calibration:
    return calibration.calibration(_dataset, version, _since(period))


def _volume(found: list[Volume], period: str) -> None:
    table = pd.DataFrame(
        {
            "time": [one.at for one in found],
            "predictions": [one.rows for one in found],
            "by": [f"version {one.version}, {SOURCES[one.source]}" for one in found],
        }
    )
    total = int(table["predictions"].sum())
    st.metric("Predictions in this period", f"{total:,}")
    st.altair_chart(_bars(table, period), alt=f"{counted(total, 'prediction')} over time, by version and source")
    sums = Counter[str]()
    for by, rows in zip(table["by"], table["predictions"], strict=True):
        sums[by] += rows
    listed = [{"by": by, "predictions": rows} for by, rows in sums.most_common()]
    st.dataframe(listed, hide_index=True, alt="Predictions by version and source")
    st.caption("Rows of a file count at the moment of its upload. Times are in UTC.")


def _bars(table: pd.DataFrame, period: str) -> alt.Chart:
    """Return a bar per hour or day, as high as there were predictions; the axis is the whole period, in UTC."""
    since, step = _since(period), timedelta(hours=1) if PERIODS[period][1] == "hour" else timedelta(days=1)
    ends = table.assign(end=table["time"] + step)
    scale = alt.Scale(type="utc", domain=[f"{since:%Y-%m-%dT%H:%M:%SZ}", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"])
    chart: alt.Chart = (
        alt.Chart(ends)
        .mark_bar()
        .encode(
            x=alt.X("time:T", title="time (UTC)", scale=scale),
            x2="end:T",
            y=alt.Y("predictions:Q", title="predictions", stack="zero"),
            color=alt.Color("by:N", title=None, legend=alt.Legend(orient="bottom")),
            tooltip=["by", "predictions"],
        )
    )
    return chart


def _version(place: DeltaGenerator, found: list[Volume], *, may_be_all: bool) -> int:
    versions = sorted({one.version for one in found}, reverse=True)
    options = [ALL, *versions] if may_be_all else versions
    return place.selectbox("Version", options, format_func=lambda one: str(one) if one else "all versions", width=240)


def _distribution(dataset: Dataset, period: str, version: int) -> None:
    found = _counted(dataset, dataset.sha256, period, version)
    what = _value(dataset)
    if found.rows == predictions.MOST_ROWS:
        st.caption(f"Of the newest {found.rows:,} predictions of the period.")
    bins = [{what: f"{one.low:.4g} to {one.high:.4g}", "rows": one.rows} for one in found.bins]
    st.subheader(f"The {what}", anchor=False)
    st.bar_chart(pd.DataFrame(bins), x=what, y="rows", sort=False, alt=f"Number of rows by {what}")
    if found.classes:
        st.subheader("The predicted class", anchor=False)
        rows = [{"class": one, "rows": n, "share": f"{n / found.rows:.1%}"} for one, n in found.classes.items()]
        st.dataframe(rows, hide_index=True, alt="How often each class was predicted")


def _value(dataset: Dataset) -> str:
    if dataset.label.kind == "number":
        return "predicted number"
    return "probability of the predicted class" if dataset.label.classes else "probability of the positive class"


def _calibration(dataset: Dataset, period: str, version: int) -> None:
    calibration_view.draw(_compared(dataset, dataset.sha256, period, version), _value(dataset))


def _screens(dataset: Dataset) -> None:
    """Link to the log itself, for engineers."""
    screens.show(("table predictions.log", "table", "predictions.log"))
