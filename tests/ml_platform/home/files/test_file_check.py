"""The check of a file says what would become of it."""

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.file_cases import BAD, Platform, button, texts, upload


def test_the_check_names_what_would_be_rejected(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins")
    upload(page, "../<b>may</b>.csv", BAD)
    assert "1 of 40 rows would be rejected. 40 rows read" in texts(page)
    assert "http://evil" not in texts(page)
    (row,) = page.dataframe[0].value.to_dict("records")
    assert (row["line"], row["column"], row["value"]) == (2, "Culmen Length (mm)", "[x](http://evil)")


def test_a_file_that_would_be_rejected_as_a_whole_cannot_be_dropped(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins")
    upload(page, "x.csv", b"a,b\n1,2\n")
    assert page.error[0].value == "This file would be rejected as a whole:"
    assert "Species" in page.code[0].value
    assert button(page, "Drop it").disabled
