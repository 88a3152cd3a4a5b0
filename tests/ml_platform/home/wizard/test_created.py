"""The end of the page New data set: created, switched on, and with its first file."""

from pathlib import Path
from typing import BinaryIO

import pytest

from ml_platform.home.wizard import created
from ml_platform.records.pipelines import Pipeline
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.wizard.wizard_cases import SALES, dropped, labelled


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> list[Pipeline]:
    """Return the pipelines that Airflow has; to be filled."""
    found: list[Pipeline] = []
    monkeypatch.setattr(created.pipelines, "pipelines", lambda table: found)
    return found


def test_what_is_created_is_switched_on_and_gets_its_file(
    draw: Draw, spec_folder: Path, recorded: list[tuple[str | None, ...]], airflow: list[Pipeline],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    put: dict[str, bytes] = {}
    switched: list[str] = []

    def put_new(bucket: str, key: str, file: BinaryIO) -> bool:
        put[f"{bucket}/{key}"] = file.read()
        return True

    monkeypatch.setattr(created.object_store, "put_new", put_new)
    monkeypatch.setattr(created.pipelines, "switch_on", lambda table: switched.append(table.name))
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    labelled(page, "button", "Create the data set").click().run()
    assert labelled(page, "button", "Switch them on").disabled  # Airflow has none of them yet
    airflow.append(Pipeline("ingest_shop", is_there=False, is_on=False))
    page.run()
    assert labelled(page, "button", "Switch them on").disabled
    airflow[:] = [Pipeline("ingest_shop", is_there=True, is_on=False)]
    page.run()
    labelled(page, "button", "Switch them on").click().run()
    labelled(page, "button", "Drop it as the first training file").click().run()
    assert (switched, put) == (["shop"], {"train/train_shop.csv": SALES.encode()})
    assert [action for _, action, *_ in recorded] == ["create the data set", "switch the pipelines on", "drop a file"]
    labelled(page, "button", "Another data set").click().run()
    assert page.header[0].value == "1. A file"


def test_somebody_else_takes_the_name_meanwhile(
    draw: Draw, spec_folder: Path, recorded: list[tuple[str | None, ...]]
) -> None:
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    labelled(page, "selectbox", "What is to be predicted (the label)").set_value("price").run()
    (spec_folder / "shop.yaml").write_text("name: shop\n")
    labelled(page, "button", "Create the data set").click().run()
    assert (spec_folder / "shop.yaml").read_text() == "name: shop\n"
    assert "is there already" in page.error[0].value
