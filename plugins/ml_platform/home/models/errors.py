"""The view Errors: what a version does on its hold-out, and what another threshold would cost."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from sklearn.metrics import confusion_matrix

from ml_platform.evaluation.thresholds import Confusion, ThresholdCurve
from ml_platform.home.models import cached, choosing
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted
from ml_platform.records import version_details
from ml_platform.records.holdout import HoldoutPredictions
from ml_platform.records.version_details import VersionDetails
from ml_platform.specs.spec import Dataset

POINTS = 400  # of a chart
STEP = 0.001  # of the slider
MOST = 1e12  # cost of an error


def show(dataset: Dataset) -> None:
    """Draw the view."""
    with may_be_missing("The hold-out"):
        version = choosing.version(dataset.name)
        if version is None:
            return
        details = version_details.details(dataset.name, version)
        found = cached.predictions(details)
        st.caption(
            f"What version {version} predicted for {counted(len(found.labels), 'row')} that it was not trained on."
        )
        {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[details.task](details, found)


@st.fragment  # a move of the slider draws this part only
def _binary(details: VersionDetails, found: HoldoutPredictions) -> None:
    curve, live = cached.curve(details), details.threshold or 0.0
    st.info(
        f"This only explores. The version predicts with the threshold {live:.4g}, which its training chose; "
        "another one comes with another training.",
        icon=":material/info:",
    )
    unit_false_positive, unit_false_negative = _costs(found.classes)
    units = (unit_false_positive, unit_false_negative)
    key = f"threshold of {details.model} {details.version}"
    _offers(key, live, curve.cheapest(*units))
    threshold = st.slider("Threshold", 0.0, 1.0, step=STEP, key=key, format="%.3f")
    here, there = curve.at(threshold), curve.at(live)
    _figures(here, there, units)
    _matrix(here, found.classes)
    _cost_chart(curve, units, threshold, live)


def _costs(classes: tuple[str, ...]) -> tuple[float, float]:
    positive = f"“{classes[1]}”" if len(classes) == 2 else "positive"
    left, right = st.columns(2)
    with left:
        false_positive = _cost("false positive", f"Predicted as {positive}, and it is not.")
    with right:
        false_negative = _cost("false negative", f"It is {positive}, and was not found.")
    return false_positive, false_negative


def _cost(error: str, explanation: str) -> float:
    return st.number_input(f"Cost of a {error}", 0.0, MOST, 1.0, key=f"cost of a {error}", help=explanation)


def _offers(key: str, live: float, cheapest: float) -> None:
    """Draw the buttons that set the slider; it begins at the version's own threshold."""
    st.session_state.setdefault(key, live)

    def move(threshold: float) -> None:
        st.session_state[key] = threshold

    with st.container(horizontal=True):
        st.button(f"Least cost: {cheapest:.3f}", on_click=move, args=(cheapest,), icon=":material/savings:")
        st.button(f"Of the version: {live:.3f}", on_click=move, args=(live,))


def _figures(here: Confusion, live: Confusion, units: tuple[float, float]) -> None:
    columns = st.columns(4)
    rates = (("Precision", "precision"), ("Recall", "recall"), ("F1", "f1"))
    for column, (title, name) in zip(columns, rates, strict=False):
        value, now = getattr(here, name), getattr(live, name)
        delta = f"{value - now:+.3f} to the version's own" if abs(value - now) >= STEP / 2 else None
        column.metric(title, f"{value:.3f}", delta)
    cost, now = here.cost(*units), live.cost(*units)
    delta = f"{cost - now:+,.10g} to the version's own" if cost != now else None
    columns[3].metric("Cost of all errors", f"{cost:,.10g}", delta, delta_color="inverse")


def _matrix(here: Confusion, classes: tuple[str, ...]) -> None:
    negative, positive = classes if len(classes) == 2 else ("negative", "positive")
    st.subheader("Confusion matrix", anchor=False)
    st.dataframe(
        {
            "true label": [positive, negative],
            f"predicted {positive}": [
                f"{here.true_positives:,} found",
                f"{here.false_positives:,} false positives",
            ],
            f"predicted {negative}": [
                f"{here.false_negatives:,} false negatives",
                f"{here.true_negatives:,} right",
            ],
        },
        hide_index=True,
        alt=f"{here.true_positives} true positives, {here.false_positives} false positives, "
        f"{here.false_negatives} false negatives, {here.true_negatives} true negatives",
    )


def _cost_chart(curve: ThresholdCurve, units: tuple[float, float], threshold: float, live: float) -> None:
    st.subheader("Cost by threshold", anchor=False)
    positions = curve.spread(POINTS)
    costs = curve.costs(*units)[positions]
    points = pd.DataFrame({"threshold": curve.thresholds[positions], "cost": costs})
    marks = pd.DataFrame({"threshold": [live, threshold], "line": ["of the version", "chosen here"]})
    line = alt.Chart(points).mark_line(interpolate="step-before").encode(x="threshold:Q", y="cost:Q")
    rules = (
        alt.Chart(marks)
        .mark_rule(strokeWidth=2)
        .encode(
            x="threshold:Q",
            color=alt.Color("line:N", title=None, legend=alt.Legend(orient="bottom")),
            strokeDash=alt.StrokeDash("line:N", title=None),
        )
    )
    st.altair_chart(
        line + rules,
        alt=f"The cost of all errors by threshold: {costs[0]:,.4g} at the lowest, {costs.min():,.4g} at the best, "
        f"{costs[-1]:,.4g} at the highest.",
    )


def _multiclass(_: VersionDetails, found: HoldoutPredictions) -> None:
    predicted = found.outputs.argmax(axis=1)
    counts = confusion_matrix(found.labels, predicted, labels=range(len(found.classes)))
    st.subheader("Confusion matrix", anchor=False)
    right = int(np.trace(counts))
    st.dataframe(
        [
            {
                "true label": name,
                "found": f"{row[index] / row.sum():.1%}" if row.sum() else "no rows",
                **{f"predicted {other}": int(row[k]) for k, other in enumerate(found.classes)},
            }
            for index, (name, row) in enumerate(zip(found.classes, counts, strict=True))
        ],
        hide_index=True,
        alt=f"Rows by true label and by predicted label; {right} of {len(found.labels)} are right.",
    )
    st.caption(
        f"{right:,} of {counted(len(found.labels), 'row')} are right. With several classes there is no threshold."
    )


def _regression(_: VersionDetails, found: HoldoutPredictions) -> None:
    frame = pd.DataFrame({"true": found.labels, "predicted": found.outputs, "error": found.outputs - found.labels})
    shown = frame if len(frame) <= POINTS else frame.sample(POINTS, random_state=0)
    sizes = frame["error"].abs()
    st.subheader("Predicted and true", anchor=False)
    ends = pd.DataFrame({"true": [frame["true"].min(), frame["true"].max()]}).assign(predicted=lambda f: f["true"])
    scale = alt.Scale(zero=False)
    points = alt.Chart(shown).mark_circle(opacity=0.5).encode(
        x=alt.X("true:Q", scale=scale), y=alt.Y("predicted:Q", scale=scale), tooltip=["true", "predicted", "error"]
    )  # fmt: skip
    ideal = alt.Chart(ends).mark_line(strokeDash=[4, 4]).encode(x="true:Q", y="predicted:Q")
    st.altair_chart(points + ideal, alt=f"Predicted by true value; half of the errors are below {sizes.median():.4g}.")
    st.subheader("Errors", anchor=False)
    bars = alt.Chart(frame if len(frame) <= 5000 else frame.sample(5000, random_state=0)).mark_bar().encode(
        x=alt.X("error:Q", bin=alt.Bin(maxbins=40), title="predicted minus true"), y=alt.Y("count()", title="rows")
    )  # fmt: skip
    st.altair_chart(bars, alt=f"How often each error occurs; their mean is {frame['error'].mean():+.4g}.")
    st.caption(
        f"Half of the errors are below {sizes.median():.4g}, nine of ten below {sizes.quantile(0.9):.4g}; the largest "
        f"is {sizes.max():.4g}. On average the prediction is {frame['error'].mean():+.4g} off."
    )
