"""The SQL of the log of predictions; test_stored_files.py runs it on a real Postgres."""

from datetime import UTC, datetime

from ml_platform.housekeeping import prediction_entries


def test_a_batch_has_a_limit_and_names_its_model(monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(prediction_entries, "fetch", lambda *call: calls.append(call) or [(7,)])
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert prediction_entries.remove_before("auto", moment, 10) == 14  # of two logs
    assert prediction_entries.count_before("auto", moment) == 14
    assert [call[1:] for call in calls] == [("auto", moment.isoformat(), 10)] * 2 + [("auto", moment.isoformat())] * 2
