"""The specs, read again only when a file under `datasets/` has changed, and the data set that a page is about."""

from functools import lru_cache
from pathlib import Path

import streamlit as st

from ml_platform.specs.catalog import DATASETS_DIR, Catalog, spec_files
from ml_platform.specs.catalog import catalog as read_catalog
from ml_platform.specs.spec import Dataset

KEY = "dataset"  # of the choice, in the session and in the address
LAST = "dataset of the last view"


def folder() -> Path:
    """Return the folder of the specs."""
    return DATASETS_DIR


def stamps() -> tuple[tuple[str, int, int], ...]:
    """Return what changes with each file of the specs."""
    return _stamps(folder())


def catalog() -> Catalog:
    """Return the specs as they are now."""
    return _catalog(folder(), stamps())


@lru_cache(maxsize=4)
def _catalog(folder: Path, _: tuple[tuple[str, int, int], ...]) -> Catalog:
    return read_catalog(folder)


def _stamps(folder: Path) -> tuple[tuple[str, int, int], ...]:
    files = [*spec_files(folder), *folder.glob("platform.yaml")]
    return tuple((path.name, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files if path.exists())


def choose() -> None:
    """Let the person choose the data set. The choice stays from page to page, and is in the address of its pages."""
    names = [dataset.name for dataset in catalog().datasets]
    if not names:
        return
    wanted = st.query_params.get(KEY)
    if wanted in names and st.session_state.get(LAST) != wanted:  # a link led here
        st.session_state[KEY] = wanted
    elif st.session_state.get(KEY) not in names:
        st.session_state[KEY] = names[0]
    st.selectbox("Data set", names, key=KEY, label_visibility="collapsed")
    st.session_state[LAST] = st.session_state[KEY]
    if wanted is not None:
        st.query_params[KEY] = st.session_state[KEY]


def chosen() -> str | None:
    """Return the name of the chosen data set; None without any."""
    name: str | None = st.session_state.get(KEY)
    return name


def current() -> Dataset:
    """Return the chosen data set; without any, the page says how to make one, and stops here."""
    name = st.session_state.get(KEY) or st.query_params.get(KEY)
    found = next((dataset for dataset in catalog().datasets if dataset.name == name), None)
    if found is None:
        st.info("There is no data set yet. Make one from a file: **New data set**.", icon=":material/info:")
        st.stop()
    return found
