"""The page Spec: the YAML of a data set with its mistakes, and its change with diff, check and reason."""

from pathlib import Path

import streamlit as st

from ml_platform.exceptions import ConfigurationError
from ml_platform.home.parts import spec_editor, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.records import actions
from ml_platform.specs import saving
from ml_platform.specs.catalog import spec_files
from ml_platform.specs.platform import PLATFORM_FILE

FILE = "spec file"
FOLLOWED = "data set that the spec file followed"
SHOWN_SAVES = 5


def show() -> None:
    """Draw the page."""
    st.title("Spec")
    files = _files()
    if not files:
        st.info("There is no spec yet. **New data set** makes one from a file.", icon=":material/info:")
        return
    path = specs.folder() / _chosen(files)
    try:
        current = saving.read(path)
    except ConfigurationError as error:
        st.error("This file cannot be shown.", icon=":material/error:")
        st.code(str(error), language=None, wrap_lines=True)
        return
    if spec_editor.is_open(path.name):
        spec_editor.show(path, current)
    else:
        _read(path, current)
    _saves(path)


def _files() -> list[str]:
    others = [PLATFORM_FILE] if (specs.folder() / PLATFORM_FILE).exists() else []
    return [path.name for path in spec_files(specs.folder())] + others


def _chosen(files: list[str]) -> str:
    """Return the file that the person chose here; a new choice of the data set leads to its file."""
    wanted = f"{st.session_state.get(specs.KEY)}.yaml"
    if st.session_state.get(FILE) not in files:
        st.session_state[FILE] = files[0]
    if wanted in files and st.session_state.get(FOLLOWED) != wanted:
        st.session_state[FILE] = wanted
        st.session_state[FOLLOWED] = wanted
    return st.selectbox(
        "File", files, key=FILE, help="Also feature tables, files with mistakes, and the options of the platform."
    )


def _read(path: Path, current: saving.SpecText) -> None:
    text, facts = st.columns([3, 2], gap="medium")
    with text:
        st.code(current.text, language="yaml", line_numbers=True, wrap_lines=True)
    with facts:
        mistakes = [problem for problem in specs.catalog().problems if problem.startswith(f"{path}:")]
        if mistakes:
            st.error("This file has a mistake, and what needs it does not run.", icon=":material/error:")
            st.code("\n".join(one.removeprefix(f"{path}: ") for one in mistakes), language=None, wrap_lines=True)
        else:
            st.success("This file is valid.", icon=":material/check_circle:")
        st.button(
            "Edit", icon=":material/edit:", key="edit spec", on_click=spec_editor.open_, args=(path.name, current)
        )
        st.caption(
            "The guide `docs/data-sets.md` explains every option. A viewer can edit a draft and download it; an "
            "operator can save it, too."
        )


def _saves(path: Path) -> None:
    with may_be_missing("The last changes"):
        found = [one for one in actions.newest(100, path.stem) if one.target == path.name and one.problem is None]
        if found:
            st.subheader("Last changes made here")
            rows = [{"when": one.began_at, "who": one.person, "reason": one.reason} for one in found[:SHOWN_SAVES]]
            st.dataframe(rows, hide_index=True, alt="Who saved this file, when and why, the newest first")
