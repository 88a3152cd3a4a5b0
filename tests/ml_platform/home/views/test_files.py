"""The page Files stays usable when the servers are away, and leads to the other screens."""

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import files
from ml_platform.records.files import Page
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.file_cases import texts


def test_postgres_is_away(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(table: object, **chosen: object) -> Page:
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setattr(files, "files", fail)
    page = draw("files", "penguins")
    assert page.title[0].value == "Files of penguins"
    assert page.warning[0].value == "The files cannot be shown now."
    assert len(page.file_uploader) == 1


def test_the_files_of_a_joined_table_can_be_chosen(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def found(table: object, **chosen: object) -> Page:
        asked.append(getattr(table, "name", ""))
        return Page([], 0)

    monkeypatch.setattr(files, "files", found)
    page = draw("files", "flights")
    assert "DAG test\\_flights" in texts(page)
    page.button_group[0].set_value("weather").run()
    assert asked == ["flights", "weather"]
    assert "DAG test" not in texts(page)
