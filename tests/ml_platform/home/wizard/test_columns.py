"""The columns of a new data set, corrected by clicking."""

from pathlib import Path

from ml_platform.specs.catalog import parse_yaml
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.wizard.wizard_cases import SALES, dropped, labelled


def test_columns_are_corrected_by_clicking(draw: Draw, spec_folder: Path) -> None:
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    labelled(page, "selectbox", "Type of sales").set_value("text").run()
    labelled(page, "checkbox", "kind is sensitive").check().run()
    assert page.error[0].value == "The spec has a mistake."  # no feature is left
    labelled(page, "selectbox", "Type of sales").set_value("number").run()
    spec = parse_yaml(next(one.value for one in page.code if one.value.startswith("# yaml")))
    assert (spec["sensitive"], spec["columns"]["sales"]) == (["kind"], "number")
    assert any("+sensitive: [kind]" in one.value for one in page.code)
