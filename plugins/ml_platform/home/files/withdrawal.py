"""The dialog in which a person takes an upload back."""

import streamlit as st

from ml_platform.home.parts import acting
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted
from ml_platform.records import withdrawals
from ml_platform.removal import withdraw_upload
from ml_platform.specs.spec import Table


@st.dialog("Withdraw a file")
def ask(table: Table, key: str, sha256: str) -> None:
    """Say what would change, ask for the reason, and do it."""
    st.text(key)
    with may_be_missing("What would change"):
        _consequences(withdrawals.preview(table, sha256))
        reason = st.text_area("Reason; it is recorded", max_chars=1000)
        is_ready = bool(reason.strip()) and acting.is_allowed()
        if st.button("Withdraw it", type="primary", disabled=not is_ready):
            _withdraw(table, key, sha256, reason)


def _consequences(preview: withdrawals.Preview) -> None:
    rows, entities = counted(preview.rows, "row"), counted(preview.entities, "entity", "entities")
    st.markdown(f"**{rows}** of **{entities}** will be removed, from features, labels and the online store.")
    if preview.versions:
        versions = ", ".join(preview.versions)
        st.markdown(f"Versions trained with it stay as they are: {versions}. Train again to replace them.")
    else:
        st.markdown("No version of a model was trained with it.")
    st.caption("The file itself is kept in the bucket, and the same file may be dropped again.")


def _withdraw(table: Table, key: str, sha256: str, reason: str) -> None:
    def withdraw(person: str) -> str:
        done = withdraw_upload.withdraw(table, sha256, reason=reason, by=person)
        removed = f"{counted(done.rows, 'row')} of {counted(done.entities, 'entity', 'entities')}"
        return " ".join([f"{done.key} is withdrawn, with {removed}.", *withdraw_upload.what_to_do(done)])

    acting.act("withdraw a file", withdraw, dataset=table.name, target=key, reason=reason)
    st.rerun()
