"""A part whose server is away is missing; the rest of the page is there."""

import pytest
from streamlit.testing.v1 import AppTest


def _script() -> None:
    import streamlit as st
    from mlflow.exceptions import MlflowException

    from ml_platform.exceptions import ServiceError
    from ml_platform.home.parts.missing import may_be_missing

    for error in (ServiceError("Postgres: refused"), MlflowException("no <b>answer</b>")):
        with may_be_missing("The versions"):
            raise error
    with may_be_missing("The rest"):
        st.write("here")


def _mistake() -> None:
    from ml_platform.home.parts.missing import may_be_missing

    with may_be_missing("The versions"):
        raise KeyError("a mistake of ours")


def test_it_says_what_is_missing_and_why():
    page = AppTest.from_function(_script).run()
    assert [one.value for one in page.warning] == ["The versions cannot be shown now."] * 2
    assert [one.value for one in page.code] == ["Postgres: refused", "no <b>answer</b>"]
    assert page.markdown[0].value == "here"


@pytest.mark.filterwarnings("ignore")
def test_a_mistake_of_ours_is_not_hidden():
    assert AppTest.from_function(_mistake).run().exception
