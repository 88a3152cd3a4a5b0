"""Errors on the hold-out, and what another threshold would cost."""

from dataclasses import replace

import numpy as np
import pytest

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import DETAILS, HOLDOUT, has

KEY = "threshold of auto 2"


def test_it_begins_at_the_threshold_of_the_version(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view="Errors")
    assert page.slider(key=KEY).value == 0.5
    assert [one.value for one in page.metric] == ["0.500", "0.500", "0.500", "2"]
    assert [one.delta for one in page.metric] == [""] * 4
    assert "This only explores" in page.info[0].value


def test_costs_choose_the_cheapest_threshold(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view="Errors")
    page.number_input(key="cost of a false negative").set_value(10.0).run()
    assert page.metric[3].value == "11"
    cheapest = next(one for one in page.button if one.label.startswith("Least cost"))
    assert cheapest.label == "Least cost: 0.400"
    cheapest.click().run()
    assert page.slider(key=KEY).value == pytest.approx(0.4)
    assert (page.metric[3].value, page.metric[3].delta) == ("1", "-10 to the version's own")
    assert [one.value for one in page.metric][:2] == ["0.667", "1.000"]


def test_several_classes_have_a_confusion_matrix(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    classes = ("a", "b", "c")
    outputs = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.6, 0.4, 0.0]])
    found = replace(
        HOLDOUT, task="multiclass", classes=classes, threshold=None, labels=np.array([0, 1, 1]), outputs=outputs
    )
    has(monkeypatch, details=replace(DETAILS, task="multiclass", classes=classes, threshold=None), holdout=found)
    page = draw("models", "auto", view="Errors")
    matrix = page.dataframe[0].value
    assert list(matrix["predicted b"]) == [0, 1, 0]
    assert list(matrix["found"]) == ["100.0%", "50.0%", "no rows"]
    assert not page.slider


def test_numbers_have_their_errors(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(HOLDOUT, task="regression", classes=(), threshold=None, labels=np.array([1.0, 2.0, 3.0]),
                    outputs=np.array([1.5, 2.0, 2.0]))  # fmt: skip
    has(monkeypatch, details=replace(DETAILS, task="regression", classes=(), threshold=None), holdout=found)
    page = draw("models", "auto", view="Errors")
    assert page.caption[-1].value.startswith(
        "Half of the errors are below 0.5, nine of ten below 0.9; the largest is 1."
    )
