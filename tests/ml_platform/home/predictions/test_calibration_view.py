"""The view of a calibration, drawn without a browser; in its page: pages/test_predictions.py."""

from streamlit.testing.v1 import AppTest


def _script(judged: int, coverage: float | None) -> None:
    from ml_platform.home.predictions import calibration_view
    from ml_platform.records.calibration import Calibration, Group

    groups = (Group(10.0, 11.0, 9.0, 12.0, judged),) if judged else ()
    calibration_view.draw(Calibration(50, judged, groups, 1.5, coverage), "predicted number")


def test_numbers_have_the_share_inside_their_interval() -> None:
    page = AppTest.from_function(_script, kwargs={"judged": 40, "coverage": 0.9}).run()
    assert not page.exception
    assert (page.metric[2].label, page.metric[2].value) == ("Inside the interval", "90.0%")
    assert list(page.dataframe[0].value) == ["predicted number", "mean of the true numbers", "low", "high", "rows"]


def test_without_a_truth_it_says_what_is_missing() -> None:
    page = AppTest.from_function(_script, kwargs={"judged": 0, "coverage": None}).run()
    assert "No label has come yet" in page.info[0].value
    assert not page.metric
