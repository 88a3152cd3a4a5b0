"""What the tests of the page Files share: files, what the page reads and does, and what it shows."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.ingestion import dropping
from ml_platform.records import actions, files, senders, switches, withdrawals
from ml_platform.records.files import File, Page
from ml_platform.records.withdrawals import Preview
from ml_platform.specs.catalog import DATASETS_DIR
from tests.ml_platform.home.conftest import Draw

NOW = datetime.now(UTC)
HOSTILE = "train_penguins.<script>alert(1)</script>[x](http://evil).csv"
LOADED = File(
    "penguins", "train", "loaded", "train", HOSTILE, NOW, 1000, '"e"', NOW + timedelta(seconds=4), "ab" * 32,
    rows_read=100, rows_loaded=97, rows_rejected=3,
    reasons=("line 4, column <b>: '![x](http://evil)': not a number",), warnings=("1 column is ignored: [x](y)",),
    archived_key="processed/a.csv", report_key="processed/a.report.json", rejected_key="processed/a.rejected.csv",
)  # fmt: skip
WAITING = File("penguins", "train", "waiting", "train", "train_penguins.1.csv", NOW, 10, '"e"')
SAMPLE = DATASETS_DIR.parent / "minio" / "samples" / "train_penguins.csv"
GOOD = b"".join(SAMPLE.read_bytes().splitlines(keepends=True)[:41])
BAD = GOOD.replace(b",39.1,", b",[x](http://evil),", 1)


class Platform:
    """What the page reads and does, without servers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.listed: list[File] = []
        self.found: File | None = None
        self.dropped: list[tuple[str, str, bytes]] = []
        self.recorded: list[tuple[Any, ...]] = []
        self.off = False
        monkeypatch.setattr(files, "files", self.files)
        monkeypatch.setattr(files, "find", lambda table, bucket, key: self.found)
        monkeypatch.setattr(files, "with_id", lambda table, sha256: [])
        monkeypatch.setattr(senders, "senders", lambda table, given: dict.fromkeys(given, "ann [x](y)"))
        monkeypatch.setattr(switches, "is_off", lambda dag_id: self.off)
        monkeypatch.setattr(dropping, "drop", self.drop)
        monkeypatch.setattr(actions, "recorded", self.record)
        monkeypatch.setattr(withdrawals, "preview", lambda table, sha256: Preview(97, 90, ("2", "3")))
        monkeypatch.setattr("ml_platform.drafts.spec_check.loaded_label", lambda table: None)

    def files(self, table: object, **chosen: Any) -> Page:
        return Page(self.listed, len(self.listed))

    def drop(self, place: dropping.Place, chunks: Iterable[bytes]) -> str:
        self.dropped.append((place.bucket, place.key, b"".join(chunks)))
        return '"etag"'

    def record(self, person: str, action: str, **others: Any) -> Any:
        self.recorded.append((person, action, others["target"], others["reason"]))
        return nullcontext()


def texts(page: AppTest) -> str:
    """Return everything that Markdown interprets."""
    alerts = (*page.info, *page.warning, *page.success, *page.error)
    return "\n".join(one.value for one in (*page.markdown, *page.caption, *alerts))


def button(page: AppTest, label: str) -> Any:
    return next(one for one in page.button if one.label.startswith(label))


def upload(page: AppTest, name: str, data: bytes) -> None:
    page.file_uploader[0].upload(name, data, "text/csv").run()
    assert not page.exception, page.exception


def drawn_with_file(draw: Draw, key: str = "train_penguins.1.csv", bucket: str = "train") -> AppTest:
    page = draw("files", "penguins")
    page.query_params["file"] = f"{bucket}/{key}"
    page.run()
    assert not page.exception, page.exception
    return page
