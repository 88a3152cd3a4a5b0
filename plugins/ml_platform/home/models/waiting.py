"""What waits for a person: versions that may go live if someone approves them."""

import streamlit as st

from ml_platform.home.parts import acting
from ml_platform.home.parts.document_text import tamed
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, plain, when
from ml_platform.records import approvals
from ml_platform.records.approvals import OpenQuestion
from ml_platform.specs.spec import Dataset

SECONDS = 10  # for which an answer of Airflow is used again


@st.cache_data(ttl=SECONDS, max_entries=1, show_spinner=False)
def _questions() -> list[OpenQuestion]:
    return approvals.waiting()


def show(dataset: Dataset) -> None:
    """Draw the questions of a data set, with the form of the answer."""
    with may_be_missing("What waits for a person"):
        for question in _questions():
            if question.dataset == dataset.name:
                _question(question)


def _question(question: OpenQuestion) -> None:
    key = f"{question.run_id} {question.task_id} {question.map_index}"
    with st.container(border=True):
        st.subheader("A version waits for your decision", anchor=False)
        st.markdown(f"**{plain(question.subject)}**")
        ends = f"; without an answer it is rejected on {when(question.deadline)}" if question.deadline else ""
        st.caption(f"Asked {ago(question.since)}{ends}.")
        st.markdown(tamed(question.body))
        reason = st.text_input("Reason", key=f"reason {key}", max_chars=500, help="It is recorded with the decision.")
        disabled = not acting.is_allowed()
        with st.container(horizontal=True):
            approved = st.button("Approve", key=f"approve {key}", type="primary", disabled=disabled)
            rejected = st.button("Reject", key=f"reject {key}", disabled=disabled)
        if approved or rejected:
            _answer(question, approved=approved, reason=reason.strip())


def _answer(question: OpenQuestion, *, approved: bool, reason: str) -> None:
    if not reason:
        st.error("A reason is needed: it is recorded with the decision.", icon=":material/error:")
        return

    def answer(person: str) -> str:
        approvals.answer(question, approved=approved, reason=reason, by=person)
        return "It was approved: the version goes live now." if approved else "It was rejected: nothing changes."

    action = "approve the version" if approved else "reject the version"
    acting.act(action, answer, dataset=question.dataset, target=question.subject, reason=reason)
    _questions.clear()
    st.rerun()
