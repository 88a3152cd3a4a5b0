"""The list shows all files with state, rows and person."""

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.file_cases import HOSTILE, LOADED, WAITING, Platform


def test_an_empty_list_says_so(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins")
    assert page.title[0].value == "Files of penguins"
    assert page.info[0].value == "No file was dropped yet."
    assert not page.button


def test_the_list_shows_state_rows_and_person(draw: Draw, platform: Platform) -> None:
    platform.listed = [WAITING, LOADED]
    table = draw("files", "penguins").dataframe[0].value
    assert list(table["state"]) == ["waiting", "loaded"]
    assert list(table["file"]) == [WAITING.key, HOSTILE]
    assert list(table["by"]) == ["ann [x](y)"] * 2
    assert table["rejected"][1] == 3
