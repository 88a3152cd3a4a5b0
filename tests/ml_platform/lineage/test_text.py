"""A chain as texts: what people read about an upload, and times without guessing the zone."""

from datetime import UTC, datetime

from ml_platform.lineage import text
from ml_platform.lineage.chain import TrainingSet
from ml_platform.lineage.records import SourceRange, UploadRecord, Withdrawal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RANGE = SourceRange("claims", "0", "", "99", 100, "pull_auto", NOW)


def upload(**changes: object) -> UploadRecord:
    known = {
        "table": "auto", "sha256": "a" * 64, "key": "train_auto.csv", "rows": 5, "rows_loaded": 1000,
        "rows_rejected": 0, "rows_erased": 0, "loaded_at": NOW, "is_loaded": True, "withdrawal": None, "source": None,
    }  # fmt: skip
    return UploadRecord(**(known | changes))  # type: ignore[arg-type]


def test_an_upload_is_a_row_of_a_table() -> None:
    found = text.upload_rows(TrainingSet("b" * 64, "key", True, NOW, 5, [upload(), upload(rows=None, key=None)]))
    assert found[0] == ("a" * 12, "auto", "train_auto.csv", "5", "1,000", "0", "2026-03-01 12:00:00 UTC", "")
    assert found[1][2:4] == ("", "")
    assert {len(row) for row in found} == {len(text.TITLES)}


def test_the_state_says_what_became_of_an_upload() -> None:
    taken = Withdrawal(NOW, "bob", "a wrong export", 5)
    assert text.state(upload()) == ""
    withdrawn = "withdrawn 2026-03-01 12:00:00 UTC by bob: a wrong export"
    assert text.state(upload(is_loaded=False, withdrawal=taken)) == withdrawn
    assert text.state(upload(withdrawal=taken)) == f"{withdrawn}; loaded again after that"
    assert text.state(upload(is_loaded=False)) == "removed; nothing is recorded about it any more"
    found = text.state(upload(rows_erased=2, source=RANGE))
    assert found == "2 rows erased since; from claims 0, from the beginning to 99 (pulled by pull_auto)"
