"""The page Overview: a card per data set, and what waits for a person."""

from datetime import UTC, datetime

import streamlit as st

from ml_platform.home.parts import specs
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.sparkline import sparkline
from ml_platform.home.parts.text import ago, counted, plain
from ml_platform.records import overview
from ml_platform.records.overview import LastFile, LiveModel, Summary
from ml_platform.specs.tasks import METRIC_TITLES

COLUMNS = 3  # of cards; on a phone there is one


def show() -> None:
    """Draw the page."""
    st.title("Overview")
    catalog = specs.catalog()
    for problem in catalog.problems:
        st.error("A file in `datasets/` is invalid; the other data sets are not affected.", icon=":material/error:")
        st.code(problem, language=None, wrap_lines=True)
    with may_be_missing("The data sets"):
        found = overview.summaries(catalog.datasets)
        if all(summary.is_empty for summary in found):
            _how_to_begin()
        _cards(found)


def _how_to_begin() -> None:
    with st.container(border=True):
        st.header("Begin here", anchor=False)
        st.write(
            "Nothing was dropped yet. On the page **Files** of the data set `auto`, drop the sample "
            "`minio/samples/train_auto.csv`: it is loaded, and a model is trained from it. For data of your own, "
            "**New data set** makes a data set from a file."
        )


def _cards(found: list[Summary]) -> None:
    # what is in use comes first
    ordered = sorted(found, key=lambda summary: (summary.is_empty, summary.name))
    for start in range(0, len(ordered), COLUMNS):
        for column, summary in zip(st.columns(COLUMNS), ordered[start : start + COLUMNS], strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(summary)


def _card(summary: Summary) -> None:
    st.header(summary.name, anchor=False)
    if summary.description:
        st.caption(plain(summary.description))
    _model(summary.live, summary.scores)
    st.markdown("  \n".join(_facts(summary)))
    st.info(summary.next_step, icon=":material/arrow_forward:")
    with st.container(horizontal=True):
        for path, title in (("files", "Files"), ("models", "Models"), ("data", "Data")):
            link(path, title, summary.name, help=f"{title} of {summary.name}")


def _model(live: LiveModel | None, scores: tuple[float, ...]) -> None:
    if live is None:
        st.metric("Live model", "none yet")
        return
    title = METRIC_TITLES.get(live.metric or "", live.metric)
    is_scored = live.score is not None
    st.metric(
        f"{title[0].upper()}{title[1:]} on the hold-out" if is_scored and title else "Live model",
        f"{live.score:.3f}" if is_scored else f"version {live.version}",
        help="When the gate decided about this version.",
    )
    if len(scores) > 1:
        sparkline(scores, f"{title} of the last {len(scores)} versions")
    interval = f"90 % interval {live.interval[0]:.3f} to {live.interval[1]:.3f}. " if live.interval else ""
    st.caption(f"{interval}Version {live.version}, live for {ago(live.since).removesuffix(' ago')}")


def _facts(summary: Summary) -> list[str]:
    loaded, scored = summary.rows_today
    facts = [
        f"{counted(summary.rows, 'row')} loaded; in the last 24 hours {loaded:,} loaded, {scored:,} scored",
        _file("Last training file", summary.last_trained),
        _file("Last test file", summary.last_scored),
    ]
    if summary.drift:
        facts.append(f"Rows since: {plain(summary.drift)}")
    if summary.performance:
        facts.append(f"Performance: {plain(summary.performance)}")
    return facts


def _file(title: str, file: LastFile | None) -> str:
    if file is None:
        return f"{title}: none"
    rejected = f", {counted(file.rows_rejected, 'row')} rejected" if file.rows_rejected else ""
    return f"{title}: {plain(file.key)}, {file.outcome} {ago(file.at, datetime.now(UTC))}{rejected}"
