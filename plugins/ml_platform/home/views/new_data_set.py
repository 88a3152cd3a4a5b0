"""The page New data set: from a file to a spec that is checked, and to its first training."""

import streamlit as st

from ml_platform.drafts.wizard import Wizard
from ml_platform.exceptions import PlatformError
from ml_platform.home.parts.spec_editor import diff_of, reason_not_to_write
from ml_platform.home.parts.text import counted, plain
from ml_platform.home.wizard import columns, created, state
from ml_platform.home.wizard.state import key_of, setter

ENDINGS = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "gz"]
AT_ONCE = 20_000_000  # bytes: a larger file is read whole only when asked to
UPLOAD_TIME = "the time of the upload"


def show() -> None:
    """Draw the page."""
    st.title("New data set")
    if created.is_there():
        created.show()
        return
    st.caption("Drop a file with rows of the past. What it holds is guessed; you correct it, and create the data set.")
    wizard = state.current()
    if wizard is None:
        _file()
        return
    _known_file(wizard)
    _questions(wizard)
    try:
        rows = wizard.rows()
    except PlatformError as error:
        st.info(str(error), icon=":material/arrow_upward:")
        return
    with st.expander("What only you can decide", icon=":material/help:"):
        for note in wizard.notes():
            st.text(f"• {note}")
    columns.show(wizard, rows)
    if _check(wizard):
        _create(wizard)


def _file() -> None:
    st.header("1. A file")
    st.file_uploader(
        "CSV, JSON lines or Parquet, also compressed with gzip", ENDINGS, key=state.UPLOAD,
        on_change=state.begin_from_upload,
        help="It needs the column that is to be predicted. Nothing is stored until you create the data set.",
    )  # fmt: skip
    if problem := state.problem():
        st.error("This file cannot be used.", icon=":material/error:")
        st.code(problem, language=None, wrap_lines=True)


def _known_file(wizard: Wizard) -> None:
    st.header("1. A file")
    profile = wizard.guessed
    rows = counted(profile.rows, "row")
    st.text(f"{profile.file}: {'the first ' if profile.is_cut else ''}{rows}, {profile.form}")
    st.button("Begin again with another file", on_click=state.forget, icon=":material/restart_alt:")


def _questions(wizard: Wizard) -> None:
    st.header("2. What the file is")
    answers = wizard.answers
    st.text_input(
        "Name of the data set", answers.name, max_chars=41, key=key_of("name"), on_change=setter("name"),
        help="Small letters, digits and _; files are named after it: train_NAME.csv.",
    )  # fmt: skip
    if wizard.name_problem:
        st.error(plain(wizard.name_problem), icon=":material/error:")
    st.toggle(
        "It is a feature table: nothing is predicted from it alone, other data sets join it", answers.is_table,
        key=key_of("is_table"), on_change=setter("is_table"),
    )  # fmt: skip
    if not answers.is_table:
        _label(wizard)
    key, time = st.columns(2)
    with key:
        _key(wizard)
    with time:
        _time(wizard)


def _label(wizard: Wizard) -> None:
    candidates, plausible = wizard.labels
    if not candidates:
        st.warning("No column can be predicted: none has a few values, each in several rows, and none is a number.")
        return
    by_name = {candidate.column: candidate for candidate in candidates}
    names, chosen = [*by_name], wizard.answers.label
    if chosen is None and len(plausible) > 1:
        st.warning("Several columns could be the one to predict. Choose it.", icon=":material/help:")
    st.selectbox(
        "What is to be predicted (the label)", names, names.index(chosen) if chosen in by_name else None,
        key=key_of("label"), on_change=setter("label"), placeholder="Choose a column",
    )  # fmt: skip
    for candidate in [by_name[chosen]] if chosen in by_name else plausible[:8]:
        st.text(f"{candidate.column}: {candidate.describe(wizard.profile.guesses[candidate.column])}")


def _key(wizard: Wizard) -> None:
    possible = wizard.possible_keys
    guessed = [name for name in state.guessed_key(wizard) if name in possible]
    st.multiselect(
        "What identifies a row, or its entity (the key)", possible, guessed, key=key_of("key"),
        on_change=setter("key", tuple), placeholder="No key: each row is an entity of its own",
        help="With a key, a later row of the same entity replaces the earlier one, and labels can come later.",
    )  # fmt: skip


def _time(wizard: Wizard) -> None:
    options = ["", *wizard.possible_times]
    guessed = wizard.answers.time if wizard.answers.time is not None else (options[1] if options[1:] else "")
    st.selectbox(
        "When a row was true (the event time)", options, options.index(guessed) if guessed in options else 0,
        format_func=lambda name: name or UPLOAD_TIME, key=key_of("time"), on_change=setter("time"),
    )  # fmt: skip


def _check(wizard: Wizard) -> bool:
    """Show the spec and its check; return whether it can be created."""
    st.header("3. The spec, and its check")
    checked = wizard.check()
    if problems := (*checked.problems, *checked.refused):
        st.error("The spec has a mistake.", icon=":material/error:")
        st.code("\n".join(problems), language=None, wrap_lines=True)
    else:
        _trial(wizard)
    with st.expander("The YAML file", icon=":material/description:"):
        st.code(wizard.text(), language="yaml", wrap_lines=True)
    if diff := diff_of(wizard.first_text(), wizard.text()):
        with st.expander("What you corrected", icon=":material/difference:"):
            st.code(diff, language="diff", wrap_lines=True)
    return not problems


def _trial(wizard: Wizard) -> None:
    is_large = wizard.file.stat().st_size > AT_ONCE
    if is_large and not st.button("Read the whole file", help="It is large; this takes a while."):
        st.info("The spec is valid. The file was not read as a whole yet.", icon=":material/info:")
        return
    with st.spinner("Reading the file as a load would"):
        problem = wizard.trial_problem()
    if problem:
        st.error("This file would be rejected as a whole.", icon=":material/error:")
        st.code(problem, language=None, wrap_lines=True)
        return
    trial = wizard.trial()
    if trial.rows_rejected:
        rejected = f"{trial.rows_rejected:,} of {counted(trial.rows_read, 'row')} would be rejected"
        st.warning(f"{rejected}; the others would be loaded.", icon=":material/warning:")
        lines = [f"line {one.line}, {one.column or 'the row'}: {one.value!r}: {one.reason}" for one in trial.bad_values]
        if trial.duplicate_rows:
            lines.append(f"{trial.duplicate_rows:,} of them repeat the key (and event time) of an earlier row")
        st.code("\n".join(lines), language=None, wrap_lines=True)
    else:
        st.success(f"All {counted(trial.rows_read, 'row')} would be loaded.", icon=":material/check_circle:")


def _create(wizard: Wizard) -> None:
    st.header("4. Create it")
    refused = reason_not_to_write(wizard.folder)
    with st.container(horizontal=True):
        if st.button("Create the data set", type="primary", disabled=bool(refused) or not created.is_allowed()):
            created.create(wizard)
        st.download_button(
            "Download the YAML file", wizard.text(), wizard.spec_path.name, "application/yaml", on_click="ignore"
        )
