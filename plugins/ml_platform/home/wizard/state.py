"""What a session keeps of the page New data set: the file in a folder of its own, the wizard, and what went wrong."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from ml_platform.drafts import wizard as wizards
from ml_platform.drafts.file_names import safe_file_name
from ml_platform.drafts.wizard import Wizard
from ml_platform.exceptions import PlatformError
from ml_platform.home.parts import specs

WIZARD, FOLDER, PROBLEM, ROUND = (f"new data set: {part}" for part in ("wizard", "folder", "problem", "round"))
UPLOAD = "new data set: file"


class _Folder:
    """A folder that is removed with the session that holds it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="new-data-set-"))
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def current() -> Wizard | None:
    """Return the wizard of this session; None before there is a file."""
    found: Wizard | None = st.session_state.get(WIZARD)
    return found


def problem() -> str:
    """Return why the last file cannot be used; "" if there is none."""
    return str(st.session_state.get(PROBLEM, ""))


def begin_from_upload() -> None:
    """Begin with the file that was just dropped."""
    if (uploaded := st.session_state.get(UPLOAD)) is None:
        return
    forget()
    folder = _Folder()
    file = folder.path / safe_file_name(uploaded.name)
    file.write_bytes(uploaded.getbuffer())
    try:
        st.session_state[WIZARD] = wizards.begin(file, specs.folder())
        st.session_state[FOLDER] = folder
    except PlatformError as error:
        st.session_state[PROBLEM] = str(error).replace(f"{folder.path}/", "")
        folder.remove()


def forget() -> None:
    """Forget the file and all answers."""
    st.session_state.pop(WIZARD, None)
    st.session_state.pop(PROBLEM, None)
    if folder := st.session_state.pop(FOLDER, None):
        folder.remove()
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1  # widgets of the last file are not those of the next


def answer(**changes: Any) -> None:
    """Give answers."""
    if (wizard := current()) is not None:
        st.session_state[WIZARD] = wizard.answer(**changes)


def key_of(field: str) -> str:
    """Return the key of a question's widget."""
    return f"new data set {st.session_state.get(ROUND, 0)}: {field}"


def setter(field: str, convert: Callable[[Any], Any] = lambda value: value) -> Callable[[], None]:
    """Return what is called when the widget of a field of `Answers` changes."""
    key = key_of(field)
    return lambda: answer(**{field: convert(st.session_state[key])})


def guessed_key(wizard: Wizard) -> tuple[str, ...]:
    """Return the key of the draft; () where it is not known yet."""
    if wizard.answers.key is not None:
        return wizard.answers.key
    try:
        return wizard.choices.key
    except PlatformError:
        return ()
