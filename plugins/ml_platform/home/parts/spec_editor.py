"""The editor of a spec: a draft in the session, checked at each change; saved only if nobody else changed the file."""

from difflib import unified_diff
from pathlib import Path

import streamlit as st

from ml_platform.drafts.spec_edit import EditCheck, check_edit
from ml_platform.home.parts import acting, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, plain
from ml_platform.records import actions
from ml_platform.specs import saving
from ml_platform.specs.saving import SpecText

DRAFTS = "drafts of specs"  # in the session, by name of the file: the text, and the file that it is a change of
SAVED = "save the spec"
NEXT = "Airflow reads it within 40 seconds; no restart is needed."


def is_open(file: str) -> bool:
    """Return whether this session has a draft of a file."""
    return file in _drafts()


def open_(file: str, current: SpecText) -> None:
    """Begin a draft."""
    _drafts()[file] = (current.text, current)


def close(file: str) -> None:
    """Forget a draft."""
    _drafts().pop(file, None)
    st.session_state.pop(_key(file), None)


def show(path: Path, current: SpecText) -> None:
    """Draw the editor.

    Args:
        path: of the file.
        current: the file as it is now.
    """
    text, base = _drafts()[path.name]
    if base.stamp != current.stamp:
        _somebody_else(path, base, current)
    st.session_state.setdefault(_key(path.name), text)
    st.text_area(
        f"Draft of {plain(path.name)}", key=_key(path.name), height=420, on_change=_keep, args=(path.name,),
        help="It is checked when you leave the field, or press Ctrl and Enter. It stays here while you are logged in.",
    )  # fmt: skip
    text = st.session_state[_key(path.name)]
    checked = _checked(path.parent, path.name, base.text, text, specs.stamps())
    _show_check(checked)
    diff = diff_of(base.text, text)
    if diff:
        st.subheader("Change")
        st.code(diff, language="diff", wrap_lines=True)
    else:
        st.caption("Nothing is changed yet.")
    _save(path, text, base, is_ready=bool(diff) and checked.is_good and base.stamp == current.stamp)


def diff_of(before: str, after: str) -> str:
    """Return a unified diff of two texts; "" if they are equal."""
    lines = unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=2)
    return "\n".join(lines)


def reason_not_to_write(folder: Path) -> str:
    """Say that a folder cannot be written, and return why; "" if it can."""
    if why := saving.refusal(folder):
        st.info(
            "The folder of the specs cannot be written from here. Download the draft, and put it there yourself: in "
            "containers, into the folder `datasets/` of the machine that runs them.",
            icon=":material/lock:",
        )
        st.code(f"{folder}: {why}", language=None, wrap_lines=True)
    return why


def _drafts() -> dict[str, tuple[str, SpecText]]:
    drafts: dict[str, tuple[str, SpecText]] = st.session_state.setdefault(DRAFTS, {})
    return drafts


def _key(file: str) -> str:
    return f"draft of {file}"


def _keep(file: str) -> None:
    """Copy the text out of the widget, whose state is lost when another page is opened."""
    _drafts()[file] = (st.session_state[_key(file)], _drafts()[file][1])


def _somebody_else(path: Path, base: SpecText, current: SpecText) -> None:
    st.warning(f"{plain(path.name)} was changed while you edited it{_by(path)}. Their change:", icon=":material/group:")
    st.code(diff_of(base.text, current.text), language="diff", wrap_lines=True)
    with st.container(horizontal=True):
        st.button(
            "Begin again from their text", on_click=_begin_again, args=(path.name, current), help="Your draft is lost."
        )
        st.button(
            "Keep my text", on_click=_keep_mine, args=(path.name, current),
            help="The change below then shows what of theirs you would undo. You can copy it into your draft first.",
        )  # fmt: skip


def _by(path: Path) -> str:
    found = []
    with may_be_missing("Who changed it"):
        found = [one for one in actions.newest(50, path.stem) if one.target == path.name and one.problem is None]
    return f", by {plain(found[0].person)}, {ago(found[0].ended_at)}: {plain(found[0].reason)}" if found else ""


def _begin_again(file: str, current: SpecText) -> None:
    close(file)
    open_(file, current)


def _keep_mine(file: str, current: SpecText) -> None:
    _drafts()[file] = (_drafts()[file][0], current)


@st.cache_data(ttl=30, max_entries=50, show_spinner="Checking the draft")
def _checked(folder: Path, file: str, before: str, text: str, _: object) -> EditCheck:
    return check_edit(folder, file, before, text)


def _show_check(checked: EditCheck) -> None:
    if checked.problems:
        st.error("The draft has a mistake, and cannot be saved.", icon=":material/error:")
        st.code("\n".join(checked.problems), language=None, wrap_lines=True)
        return
    if checked.refused:
        st.error(
            "Rows are loaded that the draft is incompatible with: every load would be refused. Undo this, or make a "
            "new data set under another name.",
            icon=":material/block:",
        )
        st.code("\n".join(checked.refused), language=None, wrap_lines=True)
    elif checked.not_compared:
        st.warning("The draft is valid. It was not compared with rows already loaded:", icon=":material/cloud_off:")
        st.code(checked.not_compared, language=None, wrap_lines=True)
    else:
        st.success("The draft is valid, and compatible with the rows already loaded.", icon=":material/check_circle:")
    if checked.effects:
        st.write("What the change means:")
        st.code("\n".join(checked.effects), language=None, wrap_lines=True)


def _save(path: Path, text: str, base: SpecText, *, is_ready: bool) -> None:
    refused = reason_not_to_write(path.parent)
    reason = st.text_input(
        "Reason", key=f"reason for {path.name}", max_chars=500, help="It is recorded with your name."
    )
    is_ready = is_ready and not refused and acting.is_allowed()
    with st.container(horizontal=True):
        if st.button("Save", type="primary", icon=":material/save:", disabled=not (is_ready and reason.strip())):
            _act(path, text, base, reason.strip())
        st.download_button("Download the draft", text, path.name, "application/yaml", on_click="ignore")
        st.button("Discard the draft", on_click=close, args=(path.name,))


def _act(path: Path, text: str, base: SpecText, reason: str) -> None:
    def do(_: str) -> str:
        saving.save(path, text, expected=base.stamp)
        return f"{path.name} is saved. {NEXT}"

    if acting.act(SAVED, do, dataset=path.stem, target=path.name, reason=reason):
        close(path.name)
    st.rerun()
