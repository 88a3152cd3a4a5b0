"""A file shows its rows, downloads and reasons, and foreign text has no effect."""

from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.file_cases import HOSTILE, LOADED, Platform, button, drawn_with_file, texts


def test_a_loaded_file_shows_its_rows_and_downloads_and_foreign_text_has_no_effect(
    draw: Draw, platform: Platform
) -> None:
    platform.found = LOADED
    page = drawn_with_file(draw)
    assert [one.value for one in page.metric] == ["100", "97", "3", "0"]
    assert page.text[0].value == HOSTILE
    assert page.code[0].value == LOADED.reasons[0]
    assert "http://evil" not in texts(page)
    assert "ann \\[x\\]" in texts(page)
    links = {one.label: one.url for one in page.get("link_button")}
    assert "/download/rejected?bucket=train&key=train_penguins.%3Cscript%3E" in links["Rejected rows (CSV)"]
    assert "A training with the new rows follows by itself." in texts(page)


def test_a_withdrawal_is_asked_about_and_a_viewer_cannot_begin_one(draw: Draw, platform: Platform) -> None:
    platform.found = LOADED
    page = drawn_with_file(draw)
    button(page, "Withdraw it …").click().run()
    assert "**97 rows** of **90 entities** will be removed" in texts(page)
    page = draw("files", "penguins", person=VIEWER)
    page.query_params["file"] = "train/train_penguins.1.csv"
    assert button(page.run(), "Withdraw it …").disabled
