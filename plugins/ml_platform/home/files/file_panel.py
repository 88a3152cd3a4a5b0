"""What became of one file: its state, its rows, why rows were rejected, what can be downloaded, and its withdrawal."""

import json
from datetime import UTC, datetime
from typing import Any, Literal

import streamlit as st

from ml_platform.home.downloads import file_address
from ml_platform.home.files import withdrawal
from ml_platform.home.parts import acting
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, counted, duration, plain, size, when
from ml_platform.records.files import File, State
from ml_platform.records.upload_files import Part
from ml_platform.scoring import result_keys
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store

ICONS: dict[State, str] = {
    "waiting": "hourglass_empty", "loading": "sync", "scoring": "sync", "failed": "error", "loaded": "check_circle",
    "scored": "check_circle", "duplicate": "content_copy", "rejected": "block", "withdrawn": "undo",
    "removed": "delete",
}  # fmt: skip
SENTENCES: dict[State, str] = {
    "waiting": "It waits in the inbox until it is picked up.",
    "loading": "It is being loaded.",
    "scoring": "It is being scored.",
    "failed": "The last attempt failed.",
    "loaded": "It is loaded.",
    "scored": "It is scored.",
    "duplicate": "The same file was loaded before, so nothing was changed.",
    "rejected": "It was rejected as a whole, and nothing of it was used. Fix the file, and drop it again.",
    "withdrawn": "It was loaded, and then withdrawn.",
    "removed": "It was removed from the inbox before it was read.",
}
DOWNLOADS: tuple[tuple[Part, str, str, str], ...] = (  # part, attribute of the file, label, icon
    ("result", "result_key", "Download the result", "download"),
    ("card", "card_key", "Facts of the result (JSON)", "description"),
    ("rejected", "rejected_key", "Rejected rows (CSV)", "playlist_remove"),
    ("file", "archived_key", "The file", "draft"),
    ("report", "report_key", "Report (JSON)", "description"),
)


def show(table: Table, file: File, sender: str | None) -> None:
    """Draw a settled or waiting file."""
    show_state(file)
    _origin(file, sender)
    if file.is_settled and file.state != "removed":
        _rows(file)
        _downloads(file)
        if file.card_key:
            _model(file.card_key)
        _texts("Rejected", file.reasons)
        _texts("Unusual", file.warnings)
        _withdrawal(table, file)


def show_state(file: File) -> None:
    """Draw the state of a file."""
    st.text(file.key)
    sentence = SENTENCES[file.state]
    if file.state == "failed":
        sentence += f" {_next_attempt(file)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(file.state, icon=f":material/{ICONS[file.state]}:", color="red" if _is_bad(file) else "blue")
        st.markdown(sentence)
    if file.problem:
        st.code(file.problem, language=None, wrap_lines=True)
    if file.withdrawn:
        st.text(f"By {file.withdrawn}")


def _is_bad(file: File) -> bool:
    return file.state in ("rejected", "failed")


def _next_attempt(file: File) -> str:
    if file.next_attempt is None:
        return "It waits until the spec is changed: another attempt cannot help."
    left = file.next_attempt - datetime.now(UTC)
    return f"It is tried again in {duration(left)}; it was tried {counted(file.attempts, 'time')}."


def _origin(file: File, sender: str | None) -> None:
    by = f"by {plain(sender)} " if sender else ""
    moment = f"{when(file.uploaded_at)}, {ago(file.uploaded_at)}"
    st.caption(f"Dropped {by}{moment}; {size(file.bytes)}. {_settled(file)}")


def _settled(file: File) -> str:
    if file.settled_at is None or file.uploaded_at is None:
        return ""
    return f"Settled after {duration(file.settled_at - file.uploaded_at)}."


def _rows(file: File) -> None:
    last = "scored" if file.kind == "test" else "loaded"
    used = file.rows_read - file.rows_rejected if file.state == "scored" else file.rows_loaded
    shown = [("Rows read", file.rows_read), (f"Rows {last}", used), ("Rows rejected", file.rows_rejected)]
    if file.kind != "test":
        shown.append(("Rows already there", file.rows_present))
    for column, (label, number) in zip(st.columns(len(shown)), shown, strict=True):
        column.metric(label, f"{number:,}")


def _texts(title: str, texts: tuple[str, ...]) -> None:
    if texts:
        st.markdown(f"**{title}**")
        st.code("\n".join(texts), language=None, wrap_lines=True)


def _downloads(file: File) -> None:
    with st.container(horizontal=True):
        for part, attribute, label, icon in DOWNLOADS:
            if getattr(file, attribute):
                kind: Literal["primary", "secondary"] = "primary" if part == "result" else "secondary"
                st.link_button(label, file_address(part, file), icon=f":material/{icon}:", type=kind)
        if file.state == "rejected":
            st.link_button("Why it was rejected (text)", file_address("reasons", file), icon=":material/description:")


def _model(card_key: str) -> None:
    """Say by which model a file was scored."""
    with may_be_missing("The facts of the result"):
        facts = _facts(card_key)
        threshold = f", with the threshold {facts['threshold']:.3f}" if facts.get("threshold") is not None else ""
        st.caption(f"Scored by version {facts['model_version']} of the model{threshold}.")
        if facts.get("degraded"):
            st.warning(plain(facts["degraded"]), icon=":material/warning:")


@st.cache_data(max_entries=50, show_spinner=False)
def _facts(card_key: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(object_store.get(result_keys.BUCKET, card_key))
    return facts


def _withdrawal(table: Table, file: File) -> None:
    if (
        file.state == "loaded"
        and file.sha256
        and st.button(
            "Withdraw it …", icon=":material/undo:", disabled=not acting.is_allowed(), key=f"withdraw {file.sha256}"
        )
    ):
        withdrawal.ask(table, file.key, file.sha256)
