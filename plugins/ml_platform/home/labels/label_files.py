"""Answers of the page Label on their way: handed in, loaded, and more rows asked for."""

from datetime import timedelta
from typing import Any

import streamlit as st

from ml_platform.home.parts import acting
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted, when
from ml_platform.labelling import drafts
from ml_platform.records import questions
from ml_platform.records.questions import HandedIn, Progress
from ml_platform.specs.answer_files import BUCKET
from ml_platform.specs.spec import Dataset

REFRESH = timedelta(seconds=5)
COUNT, MOST = 50, 1_000  # rows that are asked for at once


def hand_in(dataset: Dataset, progress: Progress) -> None:
    """Let the person hand in the answers that are kept."""
    number = counted(progress.kept, "answer")
    st.button(
        f"Hand in {number}" if progress.kept else "Hand in", icon=":material/send:", on_click=_hand_in,
        args=(dataset, number), disabled=not progress.kept or not acting.is_allowed(),
        help="Writes one file into the bucket `label`. It is loaded, and a training starts.",
    )  # fmt: skip
    if progress.kept_by_others:
        st.caption(f"Others have {counted(progress.kept_by_others, 'answer')} that they did not hand in yet.")


def _hand_in(dataset: Dataset, number: str) -> None:
    def do(by: str) -> str:
        written = drafts.hand_in(dataset, by)
        if written is None:
            return "There was nothing to hand in: it was done already."
        return f"{counted(written[1], 'answer')} in {BUCKET}/{written[0]}. Below you see when they are loaded."

    acting.act("hand in answers", do, dataset=dataset.name, target=number)


def ask_for_more(dataset: Dataset, *, is_needed: bool) -> None:
    """Let the person ask for more rows.

    Args:
        dataset: the spec.
        is_needed: whether there is no row without an answer; then it is open at once.
    """
    with st.expander("Ask for more rows", expanded=is_needed, icon=":material/playlist_add:"):
        count = st.number_input("Number of rows", 1, MOST, COUNT, key="label: count", width=240)
        if st.button("Choose rows", disabled=not acting.is_allowed()):
            with st.spinner("Loading the model, and choosing rows"):
                acting.act("ask about rows", lambda by: _ask(dataset, int(count), by), dataset=dataset.name,
                           target=counted(int(count), "row"))  # fmt: skip
            st.rerun()
        st.caption(
            "Of the rows of scored files those are chosen that the live model is most uncertain about and that are not "
            "alike. Rows of the hold-out are never asked about."
        )


def _ask(dataset: Dataset, count: int, by: str) -> str:
    from ml_platform.labelling.ask import ask  # late: it loads the estimators

    asked = ask(dataset, count, by, by)
    left_out = ", ".join(f"{number:,} {reason}" for reason, number in asked.left_out.items())
    looked_at = f"{counted(asked.scored, 'scored row')} looked at{f'; left out: {left_out}' if left_out else ''}."
    if asked.key is None:
        return f"There is nothing to ask: {looked_at} Score more rows."
    return f"{counted(asked.rows, 'row')} more; {looked_at} They are in {BUCKET}/{asked.key}, too."


def listed(dataset: Dataset) -> None:
    """List the answers that were handed in, and look again until all are loaded."""
    files = questions.handed_in(dataset)
    if not files:
        return
    st.subheader("Handed in", anchor=False)
    waits = any(one.outcome is None for one in files)
    st.fragment(_files, run_every=REFRESH if waits else None)(dataset)
    link("files", "Files, with reports", dataset.name)


def _files(dataset: Dataset) -> None:
    with may_be_missing("The answers that were handed in"):
        files = questions.handed_in(dataset)
        st.dataframe([_row(one) for one in files], hide_index=True, alt="Answers that were handed in")


def _row(one: HandedIn) -> dict[str, Any]:
    return {
        "answers": one.answers,
        "by": one.labelled_by,
        "state": _state(one),
        "answered": when(one.answered_at),
        "loaded or rejected": when(one.settled_at),
        "file": one.key,
    }


def _state(one: HandedIn) -> str:
    if one.outcome is None:
        return "waits to be loaded"
    rejected = f", {one.rows_rejected:,} rejected: see the report of the file" if one.rows_rejected else ""
    return f"{one.outcome}: {one.rows_loaded:,} of {one.answers:,}{rejected}"
