"""All predictions about one entity: by which version, why, and what turned out to be true."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ml_platform.exceptions import ContractError
from ml_platform.home.parts import reasons
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.reasons import Shown
from ml_platform.home.parts.text import counted, when
from ml_platform.records import prediction_reasons, predictions
from ml_platform.records.prediction_reasons import NotExplained
from ml_platform.records.predictions import MOST_OF_AN_ENTITY, Prediction
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.spec import Dataset

REASONS = 5
SOURCES = {"batch": "file", "http": "HTTP", "stream": "stream"}


def draw(dataset: Dataset) -> None:
    """Draw the search, and what is found."""
    texts = _texts(dataset)
    if not all(texts.values()):
        st.info(f"Enter the key of a {dataset.entity.name} to see every prediction about it.", icon=":material/search:")
        return
    try:
        key = predictions.entity_key(dataset, texts)
    except ContractError as error:
        st.error("This is no key.", icon=":material/error:")
        st.text(str(error))
        return
    with may_be_missing("The predictions"):
        found = predictions.of_entity(dataset, key)
        if not found:
            st.info("There is no prediction with this key.", icon=":material/info:")
            return
        _listed(found)
        _why(dataset, key, found)


def _texts(dataset: Dataset) -> dict[str, str]:
    names = dataset.keys
    columns = st.columns(min(4, len(names) + 1))
    return {
        name: columns[place % len(columns)].text_input(
            dataset.header(name), key=f"key_{name}", bind="query-params", max_chars=500
        )
        for place, name in enumerate(names)
    }


def _listed(found: list[Prediction]) -> None:
    most = " The older ones are left out." if len(found) == MOST_OF_AN_ENTITY else ""
    st.text(f"{counted(len(found), 'prediction')}, the newest first.{most}")
    table = [_row(one) for one in found]
    shown = [name for name in table[0] if any(row[name] not in ("", None) for row in table)]
    st.dataframe(table, column_order=shown, hide_index=True, alt="The predictions about this entity")
    if any(one.truth is not None and not one.is_truth_late for one in found):
        st.caption("“Known before” means: the label was loaded before the prediction, so it is no test of the model.")


def _row(one: Prediction) -> dict[str, Any]:
    return {
        "when": when(one.requested_at),
        "version": one.version,
        "prediction": one.prediction,
        "probability": one.probability,
        "interval": "" if one.low is None or one.high is None else f"{one.low:.6g} to {one.high:.6g}",
        "truth": "not known" if one.truth is None else one.truth,
        "truth loaded": _truth(one),
        "source": SOURCES[one.source],
        "event time": when(one.event_time) if one.event_time != one.requested_at else "",
        "result file": one.result_key or "",
    }


def _truth(one: Prediction) -> str:
    if one.truth is None:
        return ""
    return when(one.truth_at) if one.is_truth_late else f"{when(one.truth_at)}, known before"


def _why(dataset: Dataset, key: Mapping[str, Any], found: list[Prediction]) -> None:
    st.subheader("Why", anchor=False)
    chosen = st.selectbox(
        "Prediction",
        found,
        format_func=lambda one: f"{when(one.requested_at)}, version {one.version}: {one.prediction}",
    )
    if not st.button("Show the reasons", icon=":material/help:", help="Loads the version, and scores the row again."):
        return
    with may_be_missing("The reasons"), st.spinner("Loading the version"):
        model = _model(dataset.name, chosen.version)
        explained = prediction_reasons.explain(dataset, model, key, chosen, REASONS)
        if isinstance(explained, NotExplained):
            st.info(explained.reason, icon=":material/info:")
        else:
            shown = [Shown(one.feature, one.value, one.effect) for one in explained.reasons]
            reasons.draw(shown, explained.base, explained.rest, explained.scale)


@st.cache_resource(max_entries=3, ttl=3600, show_spinner=False)
def _model(name: str, version: int) -> LoadedModel:
    return registry.load(registry.get_version(name, version))
