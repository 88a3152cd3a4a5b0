"""The page New data set."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("New data set")
