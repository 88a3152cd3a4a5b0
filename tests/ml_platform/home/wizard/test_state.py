"""What a session keeps of the page New data set."""

from pathlib import Path

import pytest

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.wizard.wizard_cases import SALES, dropped, labelled


def test_a_file_that_is_none_of_ours_is_said(draw: Draw, spec_folder: Path) -> None:
    page = dropped(draw("new_data_set"), "../../x.csv", b"\x00\x01\x02")
    assert page.error[0].value == "This file cannot be used."
    assert "new-data-set-" not in page.code[0].value
    page = dropped(page, "shop.csv", SALES.encode())
    assert page.header[1].value == "2. What the file is"


def test_the_copy_of_the_file_is_removed_with_the_answers(
    draw: Draw, spec_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    page = dropped(draw("new_data_set"), "shop.csv", SALES.encode())
    assert [file.name for file in tmp_path.glob("new-data-set-*/*")] == ["shop.csv"]
    labelled(page, "button", "Begin again with another file").click().run()
    assert not list(tmp_path.glob("new-data-set-*"))
    assert page.get("file_uploader")
