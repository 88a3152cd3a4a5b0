"""The view Versions: all versions, and two of them side by side."""

import streamlit as st
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import PlatformError
from ml_platform.home.models import cached, choosing, words
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted, plain, when
from ml_platform.records import models, version_comparison, version_details
from ml_platform.records.models import ModelVersion
from ml_platform.records.version_comparison import Difference, Side
from ml_platform.specs.spec import Dataset


def show(dataset: Dataset) -> None:
    """Draw the view."""
    with may_be_missing("The versions"):
        found = models.versions(dataset.name, limit=words.SHOWN)
        if not found:
            choosing.no_version_yet()
            return
        st.dataframe(
            [row(one) for one in found],
            hide_index=True,
            alt="All versions: their state, what the gate decided, score with interval, candidate, and when.",
        )
        if len(found) < 2:
            st.caption("As soon as there are two versions, they can be compared here.")
            return
        st.subheader("Compare two versions", anchor=False)
        _compare(dataset, found)


def row(one: ModelVersion) -> dict[str, object]:
    """Return a version as a row of the table."""
    return {
        "version": one.version,
        "state": words.state(one),
        "gate": words.gate(one),
        words.metric(one): words.value(one),
        "registered": when(one.registered_at),
        "last live": when(one.made_live_at),
        "made live by": one.made_live_by or "",
        "candidate": one.candidate or "",
    }


def _compare(dataset: Dataset, found: list[ModelVersion]) -> None:
    live = choosing.live_or_newest(found)
    newest = next((one.version for one in found if one.version != live), live)
    left, right = st.columns(2)
    first = choosing.choice(left, "From", "from", found, live)
    second = choosing.choice(right, "To", "to", found, newest)
    if first == second:
        st.info("Choose two different versions.", icon=":material/info:")
        return
    sides = [_side(dataset.name, number) for number in (first, second)]
    _differences(version_comparison.compare(*sides), first, second)
    _how_to_read(*(details for details, _ in sides))


def _side(name: str, number: int) -> Side:
    details = version_details.details(name, number)
    try:
        return details, cached.facts(details)
    except (MlflowException, PlatformError) as error:
        st.caption(f"Rows, features and packages of version {number} are not known now: {plain(error)}")
        return details, None


def _differences(rows: list[Difference], first: int, second: int) -> None:
    changed = [one for one in rows if one.change]
    st.markdown(
        f"**{counted(len(changed), 'difference')}** from version {first} to version {second}; "
        f"{len(rows) - len(changed)} of {len(rows)} properties are the same, or not known."
    )
    only = st.toggle("Only what differs", value=False, key="only")
    st.dataframe(
        [
            {
                "": one.group,
                "property": one.name,
                f"version {first}": one.first,
                f"version {second}": one.second,
                "change": one.change or "–",
            }
            for one in (changed if only else rows)
        ],
        hide_index=True,
        height="content",
        alt=f"Metrics, candidate, data and code of the versions {first} and {second}, and what changes.",
    )


def _how_to_read(first: version_details.VersionDetails, second: version_details.VersionDetails) -> None:
    if not (first.intervals and second.intervals):
        st.caption("A version from before intervals were recorded has none here; its model card has them.")
    if first.training_set_sha256 != second.training_set_sha256:
        st.caption(
            "The two were trained, and measured, on different rows. The gate compares both on the same rows: "
            "see **History**."
        )
    else:
        st.caption("Both were measured on the same hold-out; in brackets the 90 % interval over its rows.")
