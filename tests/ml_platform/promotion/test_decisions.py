"""Decisions as rows of `models.decisions`, on a real Postgres."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ml_platform.promotion import decisions
from ml_platform.promotion.approval import Answer
from ml_platform.promotion.decision import Decision
from ml_platform.storage import database

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KEPT = Decision("kept", "version 2 is not better", 2, 1, 0.01, 0.9, 200, 0.6, 0.61, -0.03, 0.02)
PROMOTED = replace(KEPT, decision="promoted", reason="version 2 is better")
SHA256 = "0f" * 32
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(name: str, run_id: str = "run 1", number: int = 2):
    tags = {"training_set_sha256": SHA256}
    return SimpleNamespace(name=name, version=str(number), run_id=run_id, tags=tags)


def record(registered, decision, *answer) -> int:
    with database.transaction() as cursor:
        return decisions.record(cursor, registered, decision, "alice", *answer)


def rows(name: str, columns: str):
    return database.fetch(f"SELECT {columns} FROM models.decisions WHERE model = $1 ORDER BY decision_id", name)


@pytest.mark.parametrize(
    "decision",
    [
        KEPT,
        Decision("refused", "version 2 has F1 None on the hold-out", 2),
        replace(KEPT, challenger_score=1 / 3, gain_low=None, gain_high=None, champion_before=None),
    ],
)
def test_a_decision_is_read_back_as_it_was_recorded(decision) -> None:
    registered = version(f"read back {decision.reason} {decision.gain_low}")
    assert decisions.final_decision(registered) is None
    record(registered, decision)
    assert decisions.final_decision(registered) == decision


def test_the_row_names_user_training_set_and_answer() -> None:
    record(version("answered"), KEPT, Answer(False, "bob", AT))
    columns = "run_id, training_set_sha256, decided_by, approval, answered_by, answered_at"
    assert rows("answered", columns) == [("run 1", SHA256, "alice", "rejected", "bob", AT)]
    record(version("silent"), KEPT, Answer(False, None, AT))
    assert rows("silent", "approval, answered_by") == [("no answer", None)]
    record(version("not asked"), KEPT)
    assert rows("not asked", "approval, answered_by, answered_at") == [(None, None, None)]


def test_recording_it_again_replaces_the_row() -> None:
    first = record(version("again"), PROMOTED)
    assert record(version("again"), KEPT) == first
    assert rows("again", "decision") == [("kept",)]


def test_the_newest_version_with_a_training_set_is_found() -> None:
    assert decisions.version_trained_on("known", SHA256) is None
    record(version("known"), KEPT)
    record(version("known", "run 5", 5), replace(KEPT, version=5))
    assert decisions.version_trained_on("known", SHA256) == 5
    assert decisions.version_trained_on("known", "1e" * 32) is None


@pytest.mark.parametrize(("is_done", "final"), [(False, None), (True, PROMOTED)])
def test_a_promotion_is_final_when_the_alias_has_moved(is_done, final) -> None:
    name = f"moved {is_done}"
    decision_id = record(version(name), PROMOTED)
    database.fetch(
        "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, decision_id, is_done)"
        " VALUES ($1, 1, 2, 'alice', 'gate', 'better', $2, $3) RETURNING movement_id",
        *(name, decision_id, is_done),
    )
    assert decisions.final_decision(version(name)) == final


def test_a_model_that_was_deleted_starts_over_with_the_same_numbers() -> None:
    record(version("deleted", "run 1"), KEPT)
    assert decisions.final_decision(version("deleted", "run 2")) is None
    record(version("deleted", "run 2"), replace(KEPT, reason="of the second"))
    assert decisions.final_decision(version("deleted", "run 1")) == KEPT
    assert len(rows("deleted", "run_id")) == 2


def test_a_transaction_that_is_rolled_back_records_nothing() -> None:
    def fail() -> None:
        with database.transaction() as cursor:
            decisions.record(cursor, version("undone"), KEPT, "alice")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert decisions.final_decision(version("undone")) is None
