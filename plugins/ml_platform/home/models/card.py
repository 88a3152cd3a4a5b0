"""The view Model card: the card that was stored with a version."""

import streamlit as st

from ml_platform.home import documents
from ml_platform.home.models import choosing
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.specs.spec import Dataset

HEIGHT = 900  # pixels; a frame of another origin cannot tell how high it is


def show(dataset: Dataset) -> None:
    """Draw the view."""
    with may_be_missing("The model card"):
        version = choosing.version(dataset.name)
        if version is None:
            return
        path = documents.model_card_path(dataset.name, version)
        st.iframe(path, height=HEIGHT, alt=f"Model card of version {version} of {dataset.name}")
        st.link_button("Open it alone, to print or save it", path, icon=":material/open_in_new:")
