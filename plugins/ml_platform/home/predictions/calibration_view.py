"""Predictions beside the truth that came later, as a chart and as a table."""

import altair as alt
import pandas as pd
import streamlit as st

from ml_platform.home.parts.text import counted
from ml_platform.records.calibration import MOST_ROWS, Calibration

HOW = (
    "Each point is a group of rows with similar predictions, with the 90 % interval of what came true. On the line, "
    "predictions agree with the truth. A label counts if it was loaded after the prediction, so that the model cannot "
    "have been trained on it, and if nobody chose the row to be labelled."
)


def draw(found: Calibration, what: str) -> None:
    """Draw how predictions agree with the truth.

    Args:
        found: the comparison.
        what: is predicted, such as `probability of the positive class`.
    """
    if not found.judged:
        st.info(
            "No label has come yet for the predictions of this version in this period "
            f"({found.considered:,} were looked at). Load the labels when they are known: as a training file, or as a "
            "file of labels.",
            icon=":material/info:",
        )
        return
    _figures(found)
    is_number = found.coverage is not None
    actual = "mean of the true numbers" if is_number else "share that came true"
    table = pd.DataFrame(
        {
            what: [one.predicted for one in found.groups],
            actual: [one.actual for one in found.groups],
            "low": [one.low for one in found.groups],
            "high": [one.high for one in found.groups],
            "rows": [one.rows for one in found.groups],
        }
    )
    st.altair_chart(_chart(table, what, actual, is_share=not is_number), alt=f"The {actual}, by the {what}")
    st.dataframe(table.round(4), hide_index=True, alt="The groups of the chart")
    st.caption(HOW)


def _figures(found: Calibration) -> None:
    most = f", of the newest {MOST_ROWS:,} for which labels can have come" if found.considered == MOST_ROWS else ""
    columns = st.columns(3)
    columns[0].metric("Predictions with a truth", f"{found.judged:,}")
    columns[1].metric("Looked at", f"{found.considered:,}", help=f"{counted(found.considered, 'prediction')}{most}")
    if found.coverage is None:
        columns[2].metric("Calibration error", f"{found.error:.3f}", help="Mean distance of probability and rate.")
    else:
        columns[2].metric(
            "Inside the interval", f"{found.coverage:.1%}", help=f"The mean absolute error is {found.error:.4g}."
        )


def _chart(table: pd.DataFrame, what: str, actual: str, *, is_share: bool) -> alt.LayerChart | alt.FacetChart:
    scale = alt.Scale(domain=[0, 1]) if is_share else alt.Scale(zero=False)
    # names of our own: a point or a bracket in a column's name would be a path to Vega
    data = table.set_axis(["x", "y", "low", "high", "rows"], axis=1)
    ends = [float(data[["x", "low"]].min().min()), float(data[["x", "high"]].max().max())]
    line = [0.0, 1.0] if is_share else ends
    ideal = alt.Chart(pd.DataFrame({"x": line, "y": line})).mark_line(strokeDash=[4, 4], color="grey")
    x, y = alt.X("x:Q", title=what, scale=scale), alt.Y("y:Q", title=actual, scale=scale)
    bars = alt.Chart(data).mark_rule().encode(x=x, y=alt.Y("low:Q", title=actual, scale=scale), y2="high:Q")
    points = alt.Chart(data).mark_circle(size=70, opacity=1).encode(x=x, y=y, tooltip=["x", "y", "low", "high", "rows"])
    return alt.layer(ideal.encode(x="x:Q", y="y:Q"), bars, points)
