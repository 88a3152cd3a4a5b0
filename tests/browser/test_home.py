"""The home page in a browser: each page on the real stack, without barriers, and a file from the drop to its result.

It is long, so it is for `make prove`.
"""

import csv
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ml_platform.home.navigation import PAGES
from stack.config import Config
from tests.browser import home

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.prove]

SAMPLES = Path(__file__).resolve().parents[2] / "minio" / "samples"
MODULES = [module for listed in PAGES.values() for module, _, _ in listed]
BAD = 'x"<img src=y onerror=alert(1)>'  # in place of a number


def test_nobody_sees_a_page_without_a_login(page: Page, stack: Config) -> None:
    page.goto(home.url(stack, "models?dataset=auto"))
    expect(page).to_have_title("Log in · ML platform")
    assert home.barriers(page) == []
    home.log_in(page, stack, "olga", "a wrong password")
    expect(page.get_by_role("alert")).to_have_text("This name and this password do not belong together.")


def test_a_login_leads_to_the_page_that_was_wanted(page: Page, stack: Config) -> None:
    page.goto(home.url(stack, "models?dataset=auto"))
    page.get_by_label("Name").fill("olga")
    page.get_by_label("Password").fill(home.PASSWORDS["olga"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Models of auto")).to_be_visible()


@pytest.mark.parametrize("module", MODULES)
def test_each_page_is_drawn_without_barriers_and_asks_no_other_server(
    page: Page, stack: Config, module: str, picture
) -> None:
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    home.visit(page, stack, f"{'' if module == 'overview' else module}?dataset=auto")
    picture(f"home-{module}")
    assert home.barriers(page) == []
    own = ("data:", "blob:", f"http://localhost:{stack.home_port}/", f"ws://localhost:{stack.home_port}/")
    assert [one for one in elsewhere if not one.startswith(own)] == []


def test_a_file_is_checked_dropped_scored_and_its_result_downloaded(
    page: Page, stack: Config, tmp_path: Path, picture
) -> None:
    header, *rows = list(csv.reader((SAMPLES / "test_auto.csv").read_text(encoding="utf-8-sig").splitlines()))[:101]
    for row in rows[:3]:
        row[header.index("AGE")] = BAD
    name = f"test_auto_[{time.time_ns()}](http://evil.example)<b>.csv"
    path = tmp_path / name.replace("/", "_")
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    home.visit(page, stack, "files?dataset=auto")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(page.get_by_text("3 of 100 rows would be rejected.")).to_be_visible()
    picture("home-drop")
    page.get_by_role("button", name="Drop it").click()
    expect(page.get_by_text("It is scored.")).to_be_visible()
    with page.expect_download() as download, page.expect_popup():
        page.get_by_role("link", name="Download the result").click()
    download.value.save_as(tmp_path / "result.csv")
    results = list(csv.DictReader((tmp_path / "result.csv").read_text(encoding="utf-8").splitlines()))
    assert len(results) == 97
    home.visit(page, stack, "activity")  # hostile names are texts in every list
    assert page.get_by_role("link", name="http://evil.example").count() == 0
