"""Actions of a person: allowed to operators only, recorded, and their outcome shown."""

from collections.abc import Callable

import streamlit as st

from ml_platform.exceptions import PlatformError
from ml_platform.home.parts import person
from ml_platform.records import actions

MESSAGE = "message of an action"


def is_allowed() -> bool:
    """Return whether this person may act; a viewer sees buttons that are disabled."""
    return person.current().may_act


def act(action: str, do: Callable[[str], str], *, dataset: str | None, target: str, reason: str = "") -> bool:
    """Do something in the person's name, record it, and keep the message for `show_message`.

    Args:
        action: a verb with its object, such as `roll back the model`.
        do: gets the person's name, does it, and returns what there is now, in one sentence.
        dataset: name of the data set, if it is about one.
        target: on what: a file, a version.
        reason: in words.

    Returns:
        Whether it was done.
    """
    user = person.current()
    if not user.may_act:
        st.session_state[MESSAGE] = (False, f"{user.name} is a viewer; only an operator may {action}.")
        return False
    try:
        with actions.recorded(user.name, action, dataset=dataset, target=target, reason=reason):
            message = do(user.name)
    except PlatformError as error:
        st.session_state[MESSAGE] = (False, str(error))
        return False
    st.session_state[MESSAGE] = (True, message)
    return True


def show_message() -> None:
    """Show the outcome of the last action once, at the top of a page."""
    if MESSAGE not in st.session_state:
        return
    is_done, message = st.session_state.pop(MESSAGE)
    if is_done:
        st.success("Done.", icon=":material/check_circle:")
    else:
        st.error("It was not done.", icon=":material/error:")
    st.text(message)
