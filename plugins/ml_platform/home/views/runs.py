"""The page Runs: what works now and how far it is, what waits, and what failed last."""

from datetime import UTC, datetime

import streamlit as st

from ml_platform.home.parts import acting
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, counted, duration, plain, when
from ml_platform.records import approvals, runs
from ml_platform.records.runs import Failure, Run
from ml_platform.training.search_progress import SearchProgress

EVERY = 3  # seconds between two looks
FAILURES = 10
VERBS = {
    "ingest": "Loading files of {}",
    "train": "Training of {}",
    "test": "Scoring files of {}",
    "monitor": "Monitoring of {}",
    "promote": "Promotion of {} to another environment",
    "rollback": "Rollback of {}",
    "withdraw": "Withdrawal of an upload of {}",
    "pull": "Pulling rows of {} from its source",
    "pull_test": "Pulling rows of {} to be scored",
    "housekeeping": "Housekeeping",
}


def show() -> None:
    """Draw the page."""
    st.title("Runs")
    st.caption(f"What the pipelines do. This page looks again every {EVERY} seconds.")
    _now()
    st.header("Failed last")
    with may_be_missing("The failures"):
        _failures(runs.failures(FAILURES))


@st.fragment(run_every=EVERY)
def _now() -> None:
    st.header("Now")
    with may_be_missing("The runs"):
        found = runs.current()
        working = [run for run in found if run.waits_for not in ("a file", "a champion")]
        if not working:
            st.info("Nothing runs now.", icon=":material/info:")
        for run in working:
            _run(run)
        _waiting([run for run in found if run.waits_for == "a champion"])
        _questions()


def _run(run: Run) -> None:
    with st.container(border=True):
        st.subheader(_title(run.verb, run.dataset), anchor=False)
        by = f", started by {plain(run.by)}" if run.by else ""
        st.markdown(f"For {duration(datetime.now(UTC) - run.since)}{by}. {_tasks(run)}")
        if run.search:
            _progress(run.search)
        for task in run.tasks:
            if task.problem:
                st.warning(f"{task.label} failed, and is tried again.", icon=":material/refresh:")
                st.code(task.problem, language=None, wrap_lines=True)
        st.link_button("In Airflow", run.url, type="tertiary", icon=":material/open_in_new:")


def _tasks(run: Run) -> str:
    if run.waits_for == "a person":
        return "It waits for a person."
    if not run.tasks:
        return "Between two tasks." if run.state == "running" else "It waits for its turn."
    return "Now: " + ", ".join(plain(f"{task.label} ({task.state})") for task in run.tasks)


def _progress(search: SearchProgress) -> None:
    left = f", about {duration(search.remaining)} left" if search.remaining else ""
    done = min(search.done / search.total, 1.0)
    st.progress(done, f"{search.done} of {counted(search.total, 'candidate')} done{left}")
    st.link_button("Candidates in MLflow", search.url, type="tertiary", icon=":material/open_in_new:")


def _waiting(waiting: list[Run]) -> None:
    for run in waiting:
        st.info(
            f"{_title(run.verb, run.dataset)}: a file waits, because there is no model yet. Train one.",
            icon=":material/hourglass:",
        )


def _questions() -> None:
    for question in approvals.waiting():
        with st.container(border=True):
            st.subheader("A person is asked", anchor=False)
            st.text(question.subject)
            deadline = (
                f" Without an answer until {when(question.deadline)} it is rejected." if question.deadline else ""
            )
            st.caption(f"Asked {ago(question.since)}.{deadline}")
            link("models", "Answer it", question.dataset)


def _failures(found: list[Failure]) -> None:
    if not found:
        st.success("No task has failed.", icon=":material/check_circle:")
    for failure in found:
        with st.container(border=True):
            st.subheader(_title(failure.verb, failure.dataset), anchor=False)
            st.caption(f"{plain(failure.label)} failed {ago(failure.at)}, at attempt {failure.attempt}.")
            st.code(failure.reason, language=None, wrap_lines=True)
            with st.container(horizontal=True):
                key = f"again {failure.dag_id} {failure.run_id} {failure.task_id} {failure.map_index}"
                st.button(
                    "Run it again", key=key, on_click=_again, args=(failure,), disabled=not acting.is_allowed(),
                    help="This task and those behind it run again. A task can always run twice without harm.",
                )  # fmt: skip
                st.link_button("Log in Airflow", failure.url, type="tertiary", icon=":material/open_in_new:")


def _again(failure: Failure) -> None:
    def do(by: str) -> str:
        runs.clear(failure, by=by)
        return f"{failure.label} of {failure.dag_id} runs again."

    acting.act("run a failed task again", do, dataset=failure.dataset, target=f"{failure.dag_id} {failure.run_id}")


def _title(verb: str, dataset: str | None) -> str:
    return plain(VERBS.get(verb, verb).format(dataset))
