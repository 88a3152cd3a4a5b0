"""The HTML pages of a data set in the bucket `reports`: reports on its data, and the pages of checks."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ml_platform.storage import object_store
from ml_platform.storage.object_store import ObjectVersion

BUCKET = "reports"
KEY = re.compile(r"[a-z][a-z0-9_]{0,40}/[A-Za-z0-9_-][A-Za-z0-9._-]*\.html")
TIME = re.compile(r"eda\.(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\.html$")


@dataclass(frozen=True)
class DataReport:
    """A report on the data of a data set.

    Attributes:
        key: of its page in the bucket `reports`.
        made_at: when (UTC).
        bytes: its size.
    """

    key: str
    made_at: datetime
    bytes: int


def data_reports(name: str) -> list[DataReport]:
    """Return the reports on the data of a data set or feature table, the newest first.

    Raises:
        ServiceError: the object store is not available.
    """
    found = ((one, TIME.search(one.key)) for one in object_store.list_objects(BUCKET, f"{name}/eda."))
    reports = [DataReport(one.key, _moment(match[1]), one.size) for one, match in found if match]
    return sorted(reports, key=lambda report: report.made_at, reverse=True)


def page(key: str) -> ObjectVersion | None:
    """Return the object of a page; None if there is none, or this is no key of a page.

    Raises:
        ServiceError: the object store is not available.
    """
    return object_store.head(BUCKET, key) if KEY.fullmatch(key) else None


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)
