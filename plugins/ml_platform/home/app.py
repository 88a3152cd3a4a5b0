"""The script that Streamlit runs for each view: who looks, which pages there are, and the one that is shown."""

from pathlib import Path

import streamlit as st

from ml_platform.home import navigation
from ml_platform.home.parts import acting, person

ICON = Path(__file__).with_name("icon.png")  # a symbol of Streamlit would come from a server elsewhere


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="ML platform", page_icon=ICON, layout="wide")
    user = person.current()
    chosen = navigation.choose()
    navigation.draw_sidebar(user)
    acting.show_message()
    chosen.run()


main()
