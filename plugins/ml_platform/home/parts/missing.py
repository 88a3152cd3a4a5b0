"""Parts of a page that need a server: if it is away, only they are missing, and the page says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from botocore.exceptions import BotoCoreError, ClientError
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import PlatformError

AWAY = (PlatformError, MlflowException, BotoCoreError, ClientError)


@contextmanager
def may_be_missing(part: str) -> Iterator[None]:
    """Show what is missing, and why, instead of this part of the page.

    Args:
        part: what it shows, as the subject of a sentence: `The versions`.
    """
    try:
        yield
    except AWAY as error:
        st.warning(f"{part} cannot be shown now.", icon=":material/cloud_off:")
        st.code(str(error), language=None, wrap_lines=True)
