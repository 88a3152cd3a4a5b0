"""The script that Streamlit runs for each view: who looks, which pages there are, and the one that is shown."""

from importlib import import_module
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ml_platform.home.login.routes import LOGOUT
from ml_platform.home.parts import acting, links, person, specs

ICON = Path(__file__).with_name("icon.png")  # a symbol of Streamlit would come from a server elsewhere
DATASET = "Data set"
PAGES = { # section, then module below `pages`, title and icon
    "": [("overview", "Overview", "home")],
    DATASET: [
        ("files", "Files", "upload_file"),
        ("data", "Data", "query_stats"),
        ("models", "Models", "model_training"),
        ("predictions", "Predictions", "insights"),
        ("label", "Label", "label"),
        ("try_it", "Try it", "science"),
        ("spec", "Spec", "description"),
    ],
    "Platform": [
        ("new_data_set", "New data set", "add_circle"),
        ("sources", "Sources", "input"),
        ("runs", "Runs", "play_circle"),
        ("compare", "Compare models", "compare_arrows"),
        ("servers", "Servers", "dns"),
        ("activity", "Activity", "history"),
    ],
}  # fmt: skip


def described(module: str, title: str, icon: str) -> StreamlitPage:
    """Return the page of a module, which is imported when it is shown first."""

    def show() -> None:
        import_module(f"ml_platform.home.pages.{module}").show()

    return st.Page(show, title=title, icon=f":material/{icon}:", url_path=module, default=module == "overview")


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="ML platform", page_icon=ICON, layout="wide")
    user = person.current()
    pages = {section: [described(*one) for one in listed] for section, listed in PAGES.items()}
    links.remember({page.url_path or "overview": page for listed in pages.values() for page in listed})
    chosen = st.navigation(pages, expanded=True)
    if chosen in pages[DATASET]:
        specs.choose()
    with st.sidebar:
        st.caption(f"{user.name} · {user.role}")
        st.link_button("Log out", LOGOUT, icon=":material/logout:")
    acting.show_message()
    chosen.run()


main()
