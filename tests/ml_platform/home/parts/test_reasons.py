"""The reasons of a prediction, drawn without a browser."""

from streamlit.testing.v1 import AppTest

HOSTILE = "<img src=x>![x](http://evil)"


def _script(value: str) -> None:
    from ml_platform.home.parts import reasons
    from ml_platform.home.parts.reasons import Shown

    reasons.draw([Shown("town", value, 0.5), Shown("flag", False, -0.25)], -1.0, 0.0, f"log odds of {value}")


def test_foreign_texts_stay_texts() -> None:
    page = AppTest.from_function(_script, kwargs={"value": HOSTILE}).run()
    assert not page.exception
    assert page.dataframe[0].value["value"].tolist() == ["", HOSTILE, "false", ""]
    assert "![" not in page.caption[0].value
