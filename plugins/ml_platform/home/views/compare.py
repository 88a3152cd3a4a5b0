"""The page Compare models: families of models, or versions, by name and on the same folds."""

import streamlit as st

from ml_platform.home.models import comparing
from ml_platform.home.parts import specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import counted, when
from ml_platform.records.searches import Contender, Search
from ml_platform.specs.tasks import METRIC_TITLES
from ml_platform.storage import mlflow_client

SHOWN = 2  # families that are compared at first


def show() -> None:
    """Draw the page."""
    name = specs.current().name
    st.title("Compare models")
    st.caption(
        f"The best candidate of each family in a search of {name}, and versions that came from searches, side by side. "
        "The menu has the other data sets."
    )
    with may_be_missing("The searches"):
        found = comparing.searches_of(name)
        if not found:
            st.info("No search of this data set has ended yet: train a model.", icon=":material/info:")
            return
        search = _search(found)
        _compare(name, search)


def _search(found: list[Search]) -> Search:
    titles = {one.run_id: _title(one) for one in found}
    chosen = st.selectbox(
        "Search", list(titles), format_func=lambda run_id: titles[run_id], help="The newest is chosen at first."
    )
    return next(one for one in found if one.run_id == chosen)


def _title(one: Search) -> str:
    running = "" if one.status == "FINISHED" else f", {one.status.lower()}"
    return (
        f"{when(one.started_at)}: {counted(one.candidates, 'candidate')} by {METRIC_TITLES[one.scoring]}, "
        f"{one.folds} folds, {one.strategy}{running}"
    )


def _compare(name: str, search: Search) -> None:
    best = {one.title: one for one in comparing.families_of(search)}
    numbers = comparing.version_numbers(name)
    options = [*best, *numbers]
    chosen = st.multiselect(
        "Families and versions", options, default=list(best)[:SHOWN], key=f"with {search.run_id}",
        help="A family stands for its best candidate in the search. The first is what the others are compared with.",
    )  # fmt: skip
    contenders = [best[one] if one in best else comparing.version_of(name, numbers[one]) for one in chosen]
    if len(contenders) < SHOWN:
        st.info("Choose two or more.", icon=":material/info:")
        return
    comparing.show(contenders)
    _elsewhere(search, contenders)


def _elsewhere(search: Search, contenders: list[Contender]) -> None:
    st.divider()
    with st.container(horizontal=True):
        ids = [one.run_id for one in contenders]
        st.link_button("Compare these in MLflow", mlflow_client.compare_url(search.experiment_id, ids), type="tertiary")
        st.link_button("The search in MLflow", search.url, type="tertiary")
