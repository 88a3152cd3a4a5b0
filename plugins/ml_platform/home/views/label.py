"""The page Label of a data set: rows that are worth a label, one after the other, each answered by a click or a key."""

import os
from collections.abc import Sequence

import streamlit as st

from ml_platform import pages
from ml_platform.exceptions import PlatformError
from ml_platform.home.labels import label_files
from ml_platform.home.parts import acting, person, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, counted, plain
from ml_platform.labelling import drafts
from ml_platform.parsing.conversion import value_text
from ml_platform.records import predictions, questions
from ml_platform.records.questions import Progress, Question
from ml_platform.specs.answer_files import BUCKET
from ml_platform.specs.spec import Dataset

KEYS, DIGITS = 9, "0123456789"
SKIPPED, PROBLEM, NUMBER, SHOWS_MODEL = "label: skipped", "label: problem", "label: number", "label: shows the model"
MOST_SKIPPED = 500
BIAS = (
    "Decide before you look. People tend to agree with what they are shown, and then the next model learns from this "
    "model instead of from you."
)


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Label {dataset.name}")
    st.caption(
        "Rows that were scored and that the model is uncertain about. Your answers become training rows. Each is kept "
        "at once, also if you close the page. Hand them in when you have answered enough."
    )
    _problem()
    with may_be_missing("The rows"):
        progress = questions.progress(dataset, person.current().name)
        _row(dataset, questions.next_question(dataset, person.current().name, _skipped(dataset)), progress)
        label_files.hand_in(dataset, progress)
        label_files.ask_for_more(dataset, is_needed=not progress.open)
        label_files.listed(dataset)
    st.caption(
        f"[Bucket {BUCKET}]({pages.address(os.environ, 'bucket', BUCKET)}) · "
        f"[What was asked, in Adminer]({pages.address(os.environ, 'table', 'labelling.asked')})"
    )


def _problem() -> None:
    if problem := st.session_state.pop(PROBLEM, None):
        st.error("The answer was not kept.", icon=":material/error:")
        st.text(problem)


def _skipped(dataset: Dataset) -> tuple[str, ...]:
    skipped: dict[str, list[str]] = st.session_state.setdefault(SKIPPED, {})
    return tuple(skipped.get(dataset.name, [])[-MOST_SKIPPED:])


def _row(dataset: Dataset, question: Question | None, progress: Progress) -> None:
    if progress.asked:
        done = progress.asked - progress.open
        st.progress(done / progress.asked, text=f"{done:,} of {counted(progress.asked, 'row')} answered")
    if question is None:
        text = "Every row that was asked about has an answer." if progress.asked else "No rows were asked about yet."
        st.info(f"{text} Ask for more below.", icon=":material/info:")
        _undo(dataset, progress)
        return
    with st.container(border=True):
        _buttons(dataset, question, progress)
        _model(dataset, question)
        _values(dataset, question)


def _values(dataset: Dataset, question: Question) -> None:
    values = {**question.key, **question.values}
    rows = [
        {"column": dataset.header(name), "value": "missing" if values[name] is None else value_text(values[name])}
        for name in dict.fromkeys((*dataset.keys, *dataset.columns))
        if name in values
    ]
    st.dataframe(rows, hide_index=True, height="content", alt="The row as it was scored")
    st.caption(f"Asked {ago(question.asked_at)} by {plain(question.asked_by)}.")


def _buttons(dataset: Dataset, question: Question, progress: Progress) -> None:
    header = plain(dataset.header(dataset.label.column))
    st.markdown(f"**What is {header}?**")
    if dataset.label.kind == "number":
        _number(dataset, question, header)
    else:
        with st.container(horizontal=True):
            labels = drafts.choices(dataset)
            for place, (label, shortcut) in enumerate(zip(labels, shortcuts(labels), strict=True)):
                st.button(
                    plain(label) or " ", key=f"label: choice {place}", type="primary", on_click=_keep,
                    args=(dataset, question.ask_id, label), shortcut=shortcut,
                    disabled=not acting.is_allowed(),
                )  # fmt: skip
    with st.container(horizontal=True):
        st.button(
            "Skip", icon=":material/skip_next:", shortcut="s", on_click=_skip, args=(dataset, question.ask_id),
            help="The row comes again later.",
        )  # fmt: skip
        _undo(dataset, progress)


def shortcuts(labels: Sequence[str]) -> list[str | None]:
    """Return a key for each label: the label itself where all are single digits, else 1 to 9."""
    if all(len(label) == 1 and label in DIGITS for label in labels):
        return list(labels)
    return [str(place) if place <= KEYS else None for place in range(1, len(labels) + 1)]


def _number(dataset: Dataset, question: Question, header: str) -> None:
    column = dataset.columns[dataset.label.column]
    is_whole = column.type == "integer"
    with st.form("number", clear_on_submit=True, border=False):
        st.number_input(
            header, value=None, key=NUMBER, step=1 if is_whole else 1.0, format=None if is_whole else "%.15g",
            label_visibility="collapsed", placeholder="a number", width=240,
        )  # fmt: skip
        st.form_submit_button(
            "Keep", type="primary", on_click=_keep_number, args=(dataset, question.ask_id),
            disabled=not acting.is_allowed(),
        )  # fmt: skip


def _keep_number(dataset: Dataset, ask_id: str) -> None:
    number = st.session_state.get(NUMBER)
    if number is None:
        st.session_state[PROBLEM] = "Enter a number."
        return
    _keep(dataset, ask_id, value_text(number, dataset.columns[dataset.label.column].decimal))


def _keep(dataset: Dataset, ask_id: str, label: str) -> None:
    by = person.current()
    if not by.may_act:
        st.session_state[PROBLEM] = f"{by.name} is a viewer; only an operator may answer."
        return
    try:
        given_by = drafts.keep(dataset, ask_id, label, by.name)
    except PlatformError as error:
        st.session_state[PROBLEM] = str(error)
        return
    if given_by != by.name:
        st.session_state[PROBLEM] = f"{given_by} has answered this row already; that answer counts."


def _skip(dataset: Dataset, ask_id: str) -> None:
    st.session_state[SKIPPED].setdefault(dataset.name, []).append(ask_id)


def _undo(dataset: Dataset, progress: Progress) -> None:
    st.button(
        "Undo", icon=":material/undo:", shortcut="u", on_click=_take_back, args=(dataset,),
        disabled=not progress.kept or not acting.is_allowed(), help="Take your last answer back.",
    )  # fmt: skip


def _take_back(dataset: Dataset) -> None:
    if not acting.is_allowed():
        return
    try:
        drafts.take_back(dataset, person.current().name)
    except PlatformError as error:
        st.session_state[PROBLEM] = str(error)


def _model(dataset: Dataset, question: Question) -> None:
    if not st.toggle("Show what the model said", key=SHOWS_MODEL, help=BIAS):
        return
    found = [one for one in predictions.of_entity(dataset, question.key) if one.version == question.version]
    if not found:
        st.text("It is not in the log any more.")
        return
    chance = "" if found[0].probability is None else f", probability {found[0].probability:.3f}"
    st.text(f"Version {question.version} said {found[0].prediction}{chance}.")
