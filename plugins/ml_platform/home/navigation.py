"""Which pages there are: their sections, titles and icons."""

from importlib import import_module

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ml_platform.home.login.routes import LOGOUT
from ml_platform.home.login.users import User
from ml_platform.home.parts import links, specs

START, DATASET, PLATFORM = "", "Data set", "Platform"
PAGES = {  # module below `pages`, title and icon
    START: (("overview", "Overview", "home"),),
    DATASET: (
        ("files", "Files", "upload_file"),
        ("data", "Data", "query_stats"),
        ("models", "Models", "model_training"),
        ("predictions", "Predictions", "insights"),
        ("label", "Label", "label"),
        ("try_it", "Try it", "science"),
        ("spec", "Spec", "description"),
    ),
    PLATFORM: (
        ("new_data_set", "New data set", "add_circle"),
        ("sources", "Sources", "input"),
        ("runs", "Runs", "play_circle"),
        ("compare", "Compare models", "compare_arrows"),
        ("servers", "Servers", "dns"),
        ("activity", "Activity", "history"),
    ),
}


def import_pages() -> None:
    """Import the modules of all pages, which takes seconds: the first view of a page need not wait for it then."""
    for listed in PAGES.values():
        for module, _, _ in listed:
            import_module(f"ml_platform.home.views.{module}")


def choose() -> StreamlitPage:
    """Return the page that the address names; the module of each is imported when it is shown first."""
    pages = {module: _page(module, title, icon) for listed in PAGES.values() for module, title, icon in listed}
    links.remember(pages)
    return st.navigation(list(pages.values()), position="hidden")


def draw_sidebar(user: User) -> None:
    """Draw the links to all pages, the choice of the data set, and who looks.

    Streamlit's own list of pages has no place for the choice, and is no valid list for screen readers.
    """
    with st.sidebar:
        for section, listed in PAGES.items():
            if section:
                st.markdown(f"**{section}**")
            if section == DATASET:
                specs.choose()
            for module, title, _ in listed:
                links.link(module, title, specs.chosen() if section == DATASET else None)
        st.divider()
        st.text(f"{user.name} · {user.role}")
        st.link_button("Log out", LOGOUT, icon=":material/logout:")


def _page(module: str, title: str, icon: str) -> StreamlitPage:
    def show() -> None:
        import_module(f"ml_platform.home.views.{module}").show()

    return st.Page(show, title=title, icon=f":material/{icon}:", url_path=module, default=module == "overview")
