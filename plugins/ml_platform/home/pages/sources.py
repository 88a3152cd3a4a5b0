"""The page Sources."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("Sources")
