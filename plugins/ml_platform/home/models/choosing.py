"""The choice of a version of a data set's model; it is in the address, by its number."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ml_platform.home.models.words import SHOWN, state
from ml_platform.records import models
from ml_platform.records.models import ModelVersion


def version(name: str) -> int | None:
    """Let the person choose a version; the live one at first. None, and a hint, if there is none yet."""
    found = models.versions(name, limit=SHOWN)
    if not found:
        no_version_yet()
        return None
    return choice(st.container(), "Version", "version", found, live_or_newest(found))


def no_version_yet() -> None:
    """Say how to get the first version."""
    st.info("There is no version yet: train a model.", icon=":material/info:")


def live_or_newest(found: list[ModelVersion]) -> int:
    """Return the number of the live version; of the newest if none is live."""
    return next((one.version for one in found if one.is_champion), found[0].version)


def choice(place: DeltaGenerator, label: str, key: str, found: list[ModelVersion], first: int) -> int:
    """Draw a choice of a version.

    Args:
        place: where.
        label: of the choice.
        key: under which it is in the address.
        found: the versions, at least one.
        first: the number that is chosen at first, if the address names none.

    Returns:
        The number of the chosen version.
    """
    titles = {one.version: f"Version {one.version}, {state(one)}" for one in reversed(found)}
    numbers = list(dict.fromkeys(one.version for one in found))
    wanted = {str(number): number for number in numbers}.get(st.query_params.get(key, ""), first)
    chosen: int = place.selectbox(
        label, numbers, index=numbers.index(wanted), format_func=lambda number: titles[number],
        key=f"{key} of {found[0].model}",
    )  # fmt: skip
    st.query_params[key] = str(chosen)
    return chosen
