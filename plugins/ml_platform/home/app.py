"""The script that Streamlit runs for each view: who looks, which pages there are, and the one that is shown."""

from pathlib import Path

import streamlit as st

from ml_platform.home import navigation
from ml_platform.home.login.routes import LOGOUT
from ml_platform.home.parts import acting, links, person, specs

ICON = Path(__file__).with_name("icon.png")  # a symbol of Streamlit would come from a server elsewhere


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="ML platform", page_icon=ICON, layout="wide")
    user = person.current()
    pages = navigation.pages()
    links.remember({page.url_path or "overview": page for listed in pages.values() for page in listed})
    chosen = st.navigation(pages, expanded=True)
    if chosen in pages[navigation.DATASET]:
        specs.choose()
    with st.sidebar:
        st.caption(f"{user.name} · {user.role}")
        st.link_button("Log out", LOGOUT, icon=":material/logout:")
    acting.show_message()
    chosen.run()


main()
