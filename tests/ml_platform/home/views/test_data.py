"""The page Data stays usable when a server is away."""

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import report_pages
from ml_platform.records.report_pages import DataReport
from tests.ml_platform.home.conftest import Draw


def test_the_object_store_is_away(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> list[DataReport]:
        raise ServiceError("s3://reports: connection refused")

    monkeypatch.setattr(report_pages, "data_reports", fail)
    page = draw("data", "auto")
    assert page.warning[0].value == "This view cannot be shown now."
    assert page.title[0].value == "Data of auto"
