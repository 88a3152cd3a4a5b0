"""The page Activity: what people did here."""

import streamlit as st

from ml_platform.home.parts.missing import may_be_missing
from ml_platform.records import actions
from ml_platform.records.actions import Action

LIMIT = 500


def show() -> None:
    """Draw the page."""
    st.title("Activity")
    st.caption("What people did on these pages, the newest first.")
    with may_be_missing("The actions"):
        found = actions.newest(LIMIT)
        if not found:
            st.info("Nobody has done anything here yet.", icon=":material/info:")
            return
        st.dataframe([_row(action) for action in found], hide_index=True)


def _row(action: Action) -> dict[str, object]:
    return {
        "when": action.began_at,
        "who": action.person,
        "action": action.action,
        "data set": action.dataset or "",
        "target": action.target,
        "reason": action.reason,
        "outcome": action.problem or ("done" if action.ended_at else "not finished"),
    }
