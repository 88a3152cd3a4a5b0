"""The page Compare models."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("Compare models")
