"""The page Label of a data set."""

import streamlit as st

from ml_platform.home.parts import specs


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Label of {dataset.name}")
