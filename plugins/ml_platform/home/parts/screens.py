"""Small links at the end of a page, for engineers: to the right place of the other screens."""

import os

import streamlit as st

from ml_platform import pages
from ml_platform.home.parts.text import plain

Place = tuple[str, str, str]  # label, scheme of `ml_platform.pages`, and target


def show(*places: Place) -> None:
    """Draw the links."""
    links = (f"[{plain(label)}]({pages.address(os.environ, scheme, target)})" for label, scheme, target in places)
    st.markdown(":small[For engineers: " + " · ".join(links) + "]")  # in a caption links are too pale
