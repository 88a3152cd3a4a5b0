"""What identifies a scored row."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from ml_platform.labelling.scored_rows import ScoredFile, identities
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset

UPLOADED = datetime(2026, 3, 1, tzinfo=UTC)


def file(*keys: int, **columns: list[object]) -> ScoredFile:
    return ScoredFile(pa.RecordBatch.from_pydict({"ID": list(keys)} | columns), UPLOADED)


def test_a_row_is_the_same_however_often_it_is_scored() -> None:
    later = ScoredFile(file(2).rows, datetime(2026, 4, 1, tzinfo=UTC))
    first, second = identities(make_dataset(), file(1, 2))
    (again,) = identities(make_dataset(), later)
    assert first.ask_id != second.ask_id == again.ask_id
    assert (second.key, second.moment, again.moment) == ({"ID": 2}, UPLOADED, later.uploaded)
    assert identities(make_dataset("other"), file(2))[0].ask_id != second.ask_id


def test_with_an_event_time_another_one_is_another_row() -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
    rows = identities(timed_dataset(), file(1, 1, 1, AT=[*times, None]))
    assert len({row.ask_id for row in rows}) == 3
    assert [row.moment for row in rows] == [*times, UPLOADED]


def test_a_filter_keeps_the_time_of_the_file() -> None:
    kept = file(1, 2).filter(np.array([False, True]))
    assert (kept.rows.to_pydict(), kept.uploaded) == ({"ID": [2]}, UPLOADED)
