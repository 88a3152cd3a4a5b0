"""Reports are listed by their moment, and only HTML pages of data sets are read."""

from datetime import UTC, datetime

import pytest

from ml_platform.records import report_pages
from ml_platform.records.report_pages import DataReport
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import new_name


@pytest.mark.parametrize(
    "key",
    [
        "", "auto", "auto/", "auto/x.txt", "../auto/eda.html", "auto/../templates/auto.html", "auto/a/b.html",
        "templates/labels/auto.csv", "auto/.html", "Auto/x.html", "auto/x.html\n", "auto/<b>.html", "/auto/x.html",
    ],
)  # fmt: skip
def test_other_keys_are_no_pages(key: str) -> None:
    assert report_pages.page(key) is None  # without asking the object store


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_the_newest_report_is_first() -> None:
    name = new_name()
    keys = [f"{name}/eda.2026-05-0{day}T10-00-00Z.html" for day in (1, 2)]
    for key in (*keys, f"{name}/eda.other.html", f"{name}/drift.x.html"):
        object_store.put_new("reports", key, b"<p>")
    assert report_pages.data_reports(name) == [
        DataReport(keys[1], datetime(2026, 5, 2, 10, tzinfo=UTC), 3),
        DataReport(keys[0], datetime(2026, 5, 1, 10, tzinfo=UTC), 3),
    ]
    assert report_pages.page(f"{name}/drift.x.html")
    assert report_pages.page(f"{name}/none.html") is None
