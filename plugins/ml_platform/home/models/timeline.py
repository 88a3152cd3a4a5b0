"""The view History: which version was live when, who moved it and why, and what did not go live."""

from datetime import UTC, datetime, timedelta

import altair as alt
import pandas as pd
import streamlit as st

from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted, when
from ml_platform.records import model_history
from ml_platform.records.model_history import Event, GateDecision
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import ERRORS, METRIC_TITLES

SHOWN = 200  # events
WHY = {
    "gate": "the gate",
    "rollback": "a rollback",
    "promotion": "a promotion from another platform",
    "by hand": "by hand in MLflow",
}


def show(dataset: Dataset) -> None:
    """Draw the view."""
    with may_be_missing("The history"):
        events = model_history.events(dataset.name)
        if not events:
            st.info(
                "No model was trained yet. The first one goes live if it is a working model.", icon=":material/info:"
            )
            return
        _chart([event for event in events if event.went_live][:SHOWN])
        st.subheader("What happened", anchor=False)
        st.caption(f"{counted(len(events), 'event')}, the newest first.")
        st.dataframe(
            [row(event) for event in events[:SHOWN]],
            hide_index=True,
            alt="Each version that went live, and each that did not: when, who, why, and the interval of the gate.",
            column_config={"reason": st.column_config.TextColumn(width="large")},
        )


def _chart(live: list[Event]) -> None:
    if not live:
        return
    now = datetime.now(UTC)
    periods = pd.DataFrame(
        {
            "version": [f"version {event.version}" for event in live],
            "number": [event.version for event in live],
            "from": [event.at for event in live],
            "to": [event.until or now for event in live],
            "because of": [WHY.get(event.why, event.why) for event in live],
            "by": [event.by for event in live],
        }
    )
    chart = (
        alt.Chart(periods)
        .mark_bar(height=14)
        .encode(
            x=alt.X("from:T", title="UTC", scale=alt.Scale(type="utc"), axis=alt.Axis(format=_form(live))),
            x2="to:T",
            y=alt.Y("version:N", title=None, sort=alt.SortField("number", order="descending")),
            color=alt.Color("because of:N", legend=alt.Legend(orient="bottom")),
            tooltip=["version", "from:T", "to:T", "because of", "by"],
        )
    )
    newest = live[0]
    st.altair_chart(
        chart,
        alt=f"When each version was live. The newest: version {newest.version}, since {when(newest.at)}.",
    )


def _form(live: list[Event]) -> str:
    """Return the form of times on the axis: with hours if the history is short."""
    is_short = datetime.now(UTC) - live[-1].at < timedelta(days=3)
    return "%d %b %H:%M" if is_short else "%Y-%m-%d"


def row(event: Event) -> dict[str, object]:
    """Return an event as a row of the table."""
    decision = event.decision
    return {
        "when": when(event.at),
        "version": "none" if event.version is None else str(event.version),
        "what": outcome(event),
        "gain (interval)": gain_text(decision),
        "needed": _needed(decision),
        "by": event.by,
        "approved by": _answer(event),
        "reason": event.reason,
        "score": _score(decision),
    }


def outcome(event: Event) -> str:
    """Return what an event was, in words."""
    if event.version is None:
        return "no version is live from here on"
    if event.went_live:
        ended = "is live" if event.is_live else f"was live until {when(event.until)}"
        return f"{ended}; because of {WHY.get(event.why, event.why)}"
    verdict = event.decision.decision if event.decision else ""
    return {
        "kept": "did not go live: the champion stayed",
        "refused": "did not go live: refused by the gate",
    }.get(verdict, "passed the gate; it is not live yet")


def _answer(event: Event) -> str:
    decision = event.decision
    if decision and decision.approval:
        return f"{decision.approval} by {decision.answered_by}" if decision.answered_by else decision.approval
    return event.approved_by or ""


def _score(decision: GateDecision | None) -> str:
    if decision is None or decision.score is None:
        return ""
    title = METRIC_TITLES.get(decision.metric, decision.metric)
    before = f"; {decision.champion_score:.4g} before" if decision.champion_score is not None else ""
    return f"{title} {decision.score:.4g}{before}"


def gain_text(decision: GateDecision | None) -> str:
    """Return the gain of a decision with its interval, as a text; "" if there was nothing to compare."""
    if decision is None or decision.gain is None or decision.gain_low is None or decision.gain_high is None:
        return ""
    share = decision.metric in ERRORS  # of an error the gain is a share of it
    gain, low, high = (
        f"{value:+.2%}" if share else f"{value:+.4f}"
        for value in (decision.gain, decision.gain_low, decision.gain_high)
    )
    return f"{gain} ({low} to {high}; {decision.confidence:.0%})"


def _needed(decision: GateDecision | None) -> str:
    if decision is None or decision.champion_before is None:
        return ""
    least = f"{decision.min_gain:.2%}" if decision.metric in ERRORS else f"{decision.min_gain:g}"
    return f"an interval above {least}"
