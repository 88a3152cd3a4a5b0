"""The person who looks at the page."""

import streamlit as st

from ml_platform.home.login import sessions
from ml_platform.home.login.users import User
from ml_platform.home.settings import home_settings


def current() -> User:
    """Return the person of this session; a session that has ended leads to the login, and the page stops here."""
    user = sessions.user_of(home_settings(), st.context.cookies.get(sessions.COOKIE))
    if user is None:
        st.info("Your session has ended.")
        st.link_button("Log in", "/login")
        st.stop()
    return user
