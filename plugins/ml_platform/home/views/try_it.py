"""The page Try it of a data set: a form with a real row, the answer with its reasons, and the same for programs."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ml_platform.exceptions import ContractError, ServiceError
from ml_platform.home.parts import reasons, specs
from ml_platform.home.parts.links import link
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.reasons import Shown
from ml_platform.home.settings import home_settings
from ml_platform.home.try_it import row_form, serving
from ml_platform.home.try_it.row_form import Field
from ml_platform.home.try_it.serving import Answer
from ml_platform.parsing.conversion import value_text
from ml_platform.parsing.layout import columns_of
from ml_platform.records import known_rows, predictions
from ml_platform.specs.spec import Dataset

ROW, NUMBER, ASKED, ANSWER, PROBLEM = (
    f"try it: {what}" for what in ("row", "number of the row", "asked", "answer", "problem")
)
MOST_KNOWN = 500  # values of a category


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Try {dataset.name}")
    st.caption(
        "The answer is that of the HTTP service, the same as a program gets. It is logged as a prediction with the "
        "source HTTP, so it counts on the page Predictions."
    )
    _state(dataset)
    with may_be_missing("Loaded rows"):
        _start(dataset)
        _choose_row(dataset)
    _form(dataset)
    _answered(dataset)


def _state(dataset: Dataset) -> None:
    """Say which version answers."""
    try:
        version, reason = serving.state(home_settings(), dataset.name)
    except ServiceError as error:
        st.warning("The HTTP service does not answer, so no row can be scored now.", icon=":material/cloud_off:")
        st.code(str(error), language=None, wrap_lines=True)
        return
    if version is None:
        st.info("No model of this data set is live. Train one first.", icon=":material/info:")
    else:
        st.text(f"Version {version} answers." + (f" {reason}" if reason else ""))
    if version is None and reason:
        st.text(reason)


@st.cache_data(ttl=300, max_entries=50, show_spinner=False)
def _sample(_dataset: Dataset, sha256: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = known_rows.sample(_dataset).to_pylist()
    return rows


def _known(dataset: Dataset) -> dict[str, list[str]]:
    """Return the values of each category: those of the spec or, without, of loaded rows."""
    rows, found = _sample(dataset, dataset.sha256), {}
    for name, column in columns_of(dataset, "test").items():
        if column.type == "category":
            values = column.values or sorted({row[name] for row in rows if row.get(name) is not None})
            found[name] = [value_text(value, column.decimal) for value in values][:MOST_KNOWN]
    return found


def _start(dataset: Dataset) -> None:
    """Fill the form with any row when it is shown first."""
    if (st.session_state.get(ROW) or ("",))[0] != dataset.name:
        _forget_answer()
        _any_row(dataset)


def _any_row(dataset: Dataset) -> None:
    rows = _sample(dataset, dataset.sha256)
    _fill(dataset, random.choice(rows) if rows else {})  # noqa: S311 – an example


def _fill(dataset: Dataset, row: Mapping[str, Any]) -> None:
    key = {name: row[name] for name in dataset.entity.key if name in row}
    newest = known_rows.newest(dataset, key) if key else None
    st.session_state[ROW] = dataset.name, newest or dict(row)
    st.session_state[NUMBER] = st.session_state.get(NUMBER, 0) + 1


def _forget_answer() -> None:
    for name in (ASKED, ANSWER, PROBLEM):
        st.session_state.pop(name, None)


def _choose_row(dataset: Dataset) -> None:
    if not st.session_state[ROW][1]:
        st.info("No rows are loaded yet, so the form is empty.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        texts = {
            name: st.text_input(dataset.header(name), key=f"try it: key {name}", width=220)
            for name in dataset.entity.key
        }
        wanted = bool(texts) and st.button(f"Fill with this {dataset.entity.name}", disabled=not all(texts.values()))
        other = st.button("Another row", icon=":material/casino:")
    if other:
        _forget_answer()
        _any_row(dataset)
    elif wanted:
        _fill_with(dataset, texts)


def _fill_with(dataset: Dataset, texts: Mapping[str, str]) -> None:
    try:
        row = known_rows.newest(dataset, predictions.entity_key(dataset, texts))
    except ContractError as error:
        st.error("This is no key.", icon=":material/error:")
        st.text(str(error))
        return
    if row is None:
        st.info("No row with this key is loaded.", icon=":material/info:")
        return
    _forget_answer()
    _fill(dataset, row)


def _form(dataset: Dataset) -> None:
    row: Mapping[str, Any] = (st.session_state.get(ROW) or ("", {}))[1]
    known: dict[str, list[str]] = {}
    with may_be_missing("The values of categories"):
        known = _known(dataset)
    drawn = row_form.fields(dataset, row, known, st.session_state.get(NUMBER, 0))
    answer: Answer | None = st.session_state.get(ANSWER)
    problems = {one.field: one.reason for one in answer.bad} if answer else {}
    with st.form("row", border=True):
        row_form.draw(dataset, drawn, problems)
        st.form_submit_button("Predict", type="primary", on_click=_ask, args=(dataset, drawn), shortcut="Mod+Enter")


def _ask(dataset: Dataset, drawn: Sequence[Field]) -> None:
    _forget_answer()
    st.session_state[ASKED] = row_form.row(dataset, drawn)
    try:
        st.session_state[ANSWER] = serving.predict(home_settings(), dataset.name, st.session_state[ASKED])
    except ServiceError as error:
        st.session_state[PROBLEM] = str(error)


def _answered(dataset: Dataset) -> None:
    if problem := st.session_state.get(PROBLEM):
        st.error("The row was not scored: the HTTP service does not answer.", icon=":material/cloud_off:")
        st.code(problem, language=None, wrap_lines=True)
    answer: Answer | None = st.session_state.get(ANSWER)
    if answer and answer.detail:
        _refused(answer)
    elif answer:
        _scored(dataset, answer)
    if asked := st.session_state.get(ASKED):
        _programs(dataset, asked)


def _refused(answer: Answer) -> None:
    st.subheader("The answer", anchor=False)
    st.error(f"The row was not scored (HTTP status {answer.status}).", icon=":material/error:")
    st.text(answer.detail)
    if answer.bad:
        rows = [{"field": one.field, "value": one.value, "reason": one.reason} for one in answer.bad]
        st.dataframe(rows, hide_index=True, alt="The bad values")


def _scored(dataset: Dataset, answer: Answer) -> None:
    found, body = answer.prediction, answer.body
    st.subheader("The answer", anchor=False)
    columns = st.columns(3)
    columns[0].metric("Prediction", _value(found["prediction"]), help="Of the label.")
    if found.get("low") is not None:
        columns[1].metric("Interval", f"{found['low']:.6g} to {found['high']:.6g}")
    elif found.get("probability") is not None:
        of = "the positive class" if body.get("threshold") is not None else "the predicted class"
        threshold = f" A row is positive from {body['threshold']:.3f} on." if body.get("threshold") is not None else ""
        columns[1].metric("Probability", f"{found['probability']:.3f}", help=f"Of {of}.{threshold}")
    columns[2].metric("Version", body["model_version"])
    if found.get("probabilities"):
        rows = [{"class": name, "probability": value} for name, value in found["probabilities"].items()]
        st.dataframe(rows, hide_index=True, alt="The probability of each class")
    st.subheader("Why", anchor=False)
    shown = [Shown(one["feature"], one["value"], one["effect"]) for one in found["reasons"]]
    reasons.draw(shown, found["base"], found["rest"], body["reasons_scale"])
    link("predictions", "All predictions", dataset.name)


def _value(prediction: Any) -> str:
    return f"{prediction:.6g}" if isinstance(prediction, float) else str(prediction)


def _programs(dataset: Dataset, row: Mapping[str, Any]) -> None:
    st.subheader("The same for programs", anchor=False)
    st.caption("The token is `SERVING_TOKEN` in `.env`. It is not shown here.")
    base = home_settings().serving_public_url or home_settings().serving_url
    curl, python = st.tabs(["curl", "Python"])
    curl.code(serving.as_curl(base, dataset.name, row), language="bash", wrap_lines=True)
    python.code(serving.as_python(base, dataset.name, row), language="python", wrap_lines=True)
