"""Links from page to page of the home page, without loading it again."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ml_platform.home.parts import specs

PAGES = "pages"  # in the session: every page by its module


def remember(pages: Mapping[str, StreamlitPage]) -> None:
    """Keep the pages of this view for `link`."""
    st.session_state[PAGES] = dict(pages)


def link(module: str, label: str, dataset: str | None = None, *, help: str | None = None) -> None:
    """Draw a link to a page.

    Args:
        module: of the page, such as `files`.
        label: its text.
        dataset: that the page is to be about; None for a page of the platform.
        help: more, for the mouse and for screen readers.
    """
    query = {specs.KEY: dataset} if dataset else None
    page = st.session_state.get(PAGES, {}).get(module)
    if page is None:  # the page is drawn alone, as in a test
        st.text(f"→ {label}: /{module}{f'?{specs.KEY}={dataset}' if dataset else ''}")
    else:
        st.page_link(page, label=label, help=help, query_params=query)


def go(module: str, dataset: str | None = None) -> None:
    """Change to another page now."""
    query = {specs.KEY: dataset} if dataset else None
    st.switch_page(st.session_state[PAGES][module], query_params=query)
