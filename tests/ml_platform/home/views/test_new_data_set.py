"""The page New data set, drawn without a browser: from a file to a spec in the folder."""

from pathlib import Path

import pytest

from ml_platform.home.wizard import created
from ml_platform.records.pipelines import Pipeline
from ml_platform.specs import saving
from ml_platform.specs.catalog import parse_yaml
from stack.config import ROOT
from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.wizard.wizard_cases import SALES, dropped, labelled


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> list[Pipeline]:
    """Return the pipelines that Airflow has; to be filled."""
    found: list[Pipeline] = []
    monkeypatch.setattr(created.pipelines, "pipelines", lambda table: found)
    return found


def test_the_sample_becomes_a_data_set(
    draw: Draw, spec_folder: Path, recorded: list[tuple[str | None, ...]], airflow: list[Pipeline]
) -> None:
    page = draw("new_data_set")
    lines = (ROOT / "minio" / "samples" / "train_auto.csv").read_bytes().splitlines(keepends=True)
    page = dropped(page, "cars.csv", b"".join(lines[:501]))
    assert [one.value for one in page.header] == [
        "1. A file", "2. What the file is", "3. The spec, and its check", "4. Create it",
    ]  # fmt: skip
    assert page.success[0].value == "All 500 rows would be loaded."
    labelled(page, "button", "Create the data set").click().run()
    assert recorded == [("olga", "create the data set", "cars", "cars.yaml", "")]
    assert parse_yaml((spec_folder / "cars.yaml").read_text())["label"]["column"] == "TARGET_FLAG"
    assert page.header[0].value == "cars is created"


def test_the_label_is_asked_for(draw: Draw, spec_folder: Path) -> None:
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    assert page.warning[0].value.startswith("Several columns could be the one to predict.")
    assert page.info[0].value == "The label is not chosen yet."
    assert not page.get("download_button")


def test_rows_that_would_be_rejected_are_shown(draw: Draw, spec_folder: Path) -> None:
    lines = SALES.splitlines()
    lines[5] = "k4,a,many,1.5"
    page = dropped(draw("new_data_set"), "shop.csv", "\n".join(lines).encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    assert page.warning[0].value == "1 of 60 rows would be rejected; the others would be loaded."
    assert any("line 6, sales: 'many'" in one.value for one in page.code)


@pytest.mark.parametrize("name", ["auto", "Auto", "train_x", "aut"])
def test_a_name_that_is_taken_or_not_allowed_is_said(draw: Draw, spec_folder: Path, name: str) -> None:
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    labelled(page, "text_input", "Name of the data set").set_value(name).run()
    assert page.error[0].value
    assert not [button for button in page.button if button.label == "Create the data set"]


def test_a_viewer_and_a_read_only_folder_only_download(
    draw: Draw, spec_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "refusal", lambda folder: "Read-only file system")
    page = dropped(draw("new_data_set", person=VIEWER), "shop.csv", SALES.encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    assert labelled(page, "button", "Create the data set").disabled
    assert [button.label for button in page.get("download_button")] == ["Download the YAML file"]
