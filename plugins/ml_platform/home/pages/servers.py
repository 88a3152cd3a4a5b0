"""The page Servers."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("Servers")
