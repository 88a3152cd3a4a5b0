"""The page Models of a data set: what was live when, its versions, and what a person can do with them."""

import os
from collections.abc import Callable

import streamlit as st

from ml_platform import pages
from ml_platform.home.models import card, errors, moves, timeline, versions, waiting
from ml_platform.home.parts import specs
from ml_platform.home.parts.links import link
from ml_platform.specs.spec import Dataset

VIEWS: dict[str, tuple[str, Callable[[Dataset], None]]] = {  # heading and function
    "History": ("What was live, and why", timeline.show),
    "Versions": ("All versions", versions.show),
    "Model card": ("The card of a version", card.show),
    "Errors": ("Errors on the hold-out", errors.show),
}


def show() -> None:
    """Draw the page."""
    dataset = specs.current()
    st.title(f"Models of {dataset.name}")
    moves.buttons(dataset)
    waiting.show(dataset)
    view = st.segmented_control(
        "View", list(VIEWS), default="History", required=True, key="view", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    heading, draw = VIEWS[view or "History"]
    st.header(heading, anchor=False)
    draw(dataset)
    _elsewhere(dataset)


def _elsewhere(dataset: Dataset) -> None:
    st.divider()
    with st.container(horizontal=True):
        link("compare", "Compare families of models", dataset.name)
        for title, scheme, target in (
            ("Versions in MLflow", "model", dataset.name),
            ("Experiment in MLflow", "experiment", dataset.name),
            ("Training in Airflow", "dag", f"train_{dataset.name}"),
        ):
            st.link_button(title, pages.address(os.environ, scheme, target), type="tertiary")
