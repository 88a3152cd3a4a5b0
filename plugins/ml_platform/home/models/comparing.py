"""Candidates side by side: their metrics, folds, time and parameters."""

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from ml_platform.evaluation.fold_intervals import half_width
from ml_platform.home.parts.text import when
from ml_platform.records import models, searches, version_details
from ml_platform.records.searches import Contender, Search
from ml_platform.records.version_comparison import LESS_IS_BETTER, figure
from ml_platform.specs.tasks import METRIC_TITLES

HEIGHT = 45  # pixels of a contender in the chart
SECONDS = 15  # for which the list of searches is used again: one that is running grows


@st.cache_data(ttl=SECONDS, max_entries=50, show_spinner="Reading from MLflow …")
def searches_of(name: str) -> list[Search]:
    """Return the newest searches of a data set, see `searches.searches`."""
    return searches.searches(name)


@st.cache_resource(max_entries=50, show_spinner="Reading the candidates …")
def _families(run_id: str, candidates: int, _search: Search) -> list[Contender]:
    return searches.families(_search)


def families_of(search: Search) -> list[Contender]:
    """Return the best candidate of each family in a search; read again when more candidates have ended."""
    return _families(search.run_id, search.candidates, search)


@st.cache_resource(max_entries=50, show_spinner="Reading the candidate …")
def _version(run_id: str, version: int, _details: version_details.VersionDetails) -> Contender:
    return searches.of_version(_details)


def version_of(name: str, number: int) -> Contender:
    """Return the candidate that became a version."""
    details = version_details.details(name, number)
    return _version(details.run_id, number, details)


def version_numbers(name: str) -> dict[str, int]:
    """Return the versions of a model by the name under which they can be chosen, the newest first."""
    return {f"version {one.version}": one.version for one in models.versions(name)}


def show(contenders: list[Contender]) -> None:
    """Draw candidates side by side.

    Args:
        contenders: two or more; the first is the one that the others are compared with.
    """
    first = contenders[0]
    metrics = [name for name in first.means if all(name in one.means for one in contenders)]
    scoring = first.search.scoring
    ordered = sorted(metrics, key=lambda name: name != scoring)  # the metric of the search comes first
    st.subheader("Side by side", anchor=False)
    st.dataframe(
        table(contenders, ordered),
        hide_index=True,
        height="content",
        alt="Metrics over the folds with their intervals, time, parameters and origin of each.",
    )
    st.caption(
        "Each metric is the mean over the folds of the cross-validation; ± is half of its 95 % interval. A version "
        "also has the hold-out, with its 90 % interval."
    )
    if not ordered:
        st.info("They have no metric in common.", icon=":material/info:")
        return
    metric = st.selectbox("Metric", ordered, format_func=lambda name: METRIC_TITLES.get(name, name))
    for other in contenders[1:]:
        st.text(verdict(first, other, metric))
    _chart(contenders, metric)


def table(contenders: list[Contender], metrics: list[str]) -> list[dict[str, str]]:
    """Return the rows of the table: one property each, with a column for each contender."""
    rows = [(METRIC_TITLES.get(name, name), [_folds(one, name) for one in contenders]) for name in metrics]
    main = contenders[0].search.scoring
    if any(one.holdout for one in contenders):
        texts = [figure(one.holdout.get(main), one.intervals.get(main)) if one.holdout else "" for one in contenders]
        rows.append((f"{METRIC_TITLES.get(main, main)} on the hold-out", texts))
    rows += [
        ("time of all fits", [f"{one.seconds:.1f} s" for one in contenders]),
        ("best of", [f"{one.of} {one.estimator}" for one in contenders]),
    ]
    for name in dict.fromkeys(name for one in contenders for name in one.params):
        rows.append((name, [one.params.get(name, "") for one in contenders]))
    rows.append(("search of", [when(one.search.started_at) for one in contenders]))
    rows.append(("training set", [one.search.training_set_sha256[:12] for one in contenders]))
    return [{"": title, **dict(zip(_titles(contenders), texts, strict=True))} for title, texts in rows]


def _titles(contenders: list[Contender]) -> list[str]:
    return [one.title if one.title == one.estimator else f"{one.title}: {one.estimator}" for one in contenders]


def _folds(one: Contender, metric: str) -> str:
    folds = one.folds.get(metric, [])
    spread = f" ± {half_width(folds):.3g}" if len(folds) > 1 else ""
    return f"{one.means[metric]:.4g}{spread}"


def verdict(first: Contender, other: Contender, metric: str) -> str:
    """Return in words how another contender compares with the first, on the same folds."""
    names, title = f"{other.title} against {first.title}", METRIC_TITLES.get(metric, metric)
    ours, theirs = first.folds.get(metric, []), other.folds.get(metric, [])
    if not _has_same_folds(first.search, other.search) or len(ours) != len(theirs) or len(ours) < 2:
        return f"{names}: measured on different folds or rows, so the difference in {title} says little."
    gains = np.subtract(theirs, ours) * (-1 if metric in LESS_IS_BETTER else 1)
    mean, half = float(gains.mean()), half_width(gains)
    word = "better" if mean > 0 else "worse"
    clear = "significant" if abs(mean) > half else "not significant: the interval includes 0"
    return f"{names}, on the same folds: {title} {abs(mean):.4g} ± {half:.3g} {word}; {clear}."


def _has_same_folds(one: Search, other: Search) -> bool:
    return (one.training_set_sha256, one.folds, one.rows) == (other.training_set_sha256, other.folds, other.rows)


def _chart(contenders: list[Contender], metric: str) -> None:
    st.subheader("Fold by fold", anchor=False)
    points = pd.DataFrame(
        [
            {"contender": title, "fold": f"fold {number}", "score": score}
            for title, one in zip(_titles(contenders), contenders, strict=True)
            for number, score in enumerate(one.folds.get(metric, []), 1)
        ]
    )
    title = METRIC_TITLES.get(metric, metric)
    chart = (
        alt.Chart(points)
        .mark_point(filled=True, size=90)
        .encode(
            x=alt.X("score:Q", title=title, scale=alt.Scale(zero=False)),
            y=alt.Y("contender:N", title=None, sort=None, axis=alt.Axis(labelLimit=300)),
            color=alt.Color("fold:N", legend=alt.Legend(orient="bottom")),
            shape="fold:N",
            tooltip=["contender", "fold", "score"],
        )
        .properties(height=60 + HEIGHT * len(contenders))
    )
    means = ", ".join(f"{one.title} {one.means[metric]:.4g}" for one in contenders)
    st.altair_chart(chart, alt=f"{title} in each fold. Means: {means}.")
