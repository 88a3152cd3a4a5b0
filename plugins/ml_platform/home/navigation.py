"""Which pages there are: their sections, titles and icons."""

from importlib import import_module

import streamlit as st
from streamlit.navigation.page import StreamlitPage

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


def pages() -> dict[str, list[StreamlitPage]]:
    """Return the pages by section; the module of each is imported when it is shown first."""
    return {section: [_page(*one) for one in listed] for section, listed in PAGES.items()}


def _page(module: str, title: str, icon: str) -> StreamlitPage:
    def show() -> None:
        import_module(f"ml_platform.home.pages.{module}").show()

    return st.Page(show, title=title, icon=f":material/{icon}:", url_path=module, default=module == "overview")
