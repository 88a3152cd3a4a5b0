"""A file is dropped by an operator, under a safe key, and is then followed."""

from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.file_cases import GOOD, WAITING, Platform, button, texts, upload


def test_a_good_file_is_dropped_under_a_safe_key_and_followed(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins")
    upload(page, "may <b>.csv", GOOD)
    assert "No row would be rejected. 40 rows read" in texts(page)
    platform.found = WAITING
    button(page, "Drop it").click().run()
    ((bucket, key, data),) = platform.dropped
    assert (bucket, data) == ("train", GOOD)
    assert key.startswith("train_penguins.")
    assert key.endswith(".may_b.csv")
    assert platform.recorded == [("olga", "drop a file", f"train/{key}", "")]
    assert page.query_params["file"] == f"train/{key}"
    assert page.header[0].value == "Your file"
    assert page.file_uploader[0].value is None


def test_a_file_for_scoring_is_preselected_by_its_name(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins")
    upload(page, "test_penguins.csv", GOOD)
    button(page, "Drop it").click().run()
    assert platform.dropped[0][0] == "test"


def test_a_viewer_may_check_but_not_drop(draw: Draw, platform: Platform) -> None:
    page = draw("files", "penguins", person=VIEWER)
    upload(page, "x.csv", GOOD)
    assert "No row would be rejected" in texts(page)
    assert button(page, "Drop it").disabled
