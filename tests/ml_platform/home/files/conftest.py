"""The page Files without servers."""

import pytest
import streamlit as st

from tests.ml_platform.home.file_cases import Platform


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    """What the page reads and does, without servers."""
    st.cache_data.clear()
    return Platform(monkeypatch)
