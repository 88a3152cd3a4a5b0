"""What Airflow says of an answer, and that a no is followed by the task that writes it down."""

from datetime import UTC, datetime

import pytest
from airflow.providers.standard.utils.skipmixin import SkipMixin

from ml_platform.airflow.approval_task import answer_of, ask
from ml_platform.promotion.approval import Answer
from ml_platform.specs.parts import Gate

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE = {"id": "7", "name": "alice"}


@pytest.mark.parametrize(
    ("chosen", "user", "answer", "said"),
    [
        ("Approve", ALICE, Answer(True, "alice", AT), "approved"),
        ("Reject", ALICE, Answer(False, "alice", AT), "rejected"),
        ("Reject", None, Answer(False, None, AT), "no answer"),
        ("Approve", None, Answer(False, None, AT), "no answer"),  # a yes that nobody said
    ],
)
@pytest.mark.parametrize("at", [AT, AT.isoformat()])
def test_the_answer_is_the_one_that_airflow_recorded(chosen, user, answer, said, at) -> None:
    response = {"chosen_options": [chosen], "responded_by_user": user, "responded_at": at, "params_input": {}}
    assert answer_of(response) == answer
    assert answer_of(response).said == said


def test_after_a_rejection_the_next_task_runs_and_writes_it_down(monkeypatch) -> None:
    monkeypatch.setattr(SkipMixin, "skip", lambda *_, **__: pytest.fail("a task is skipped"))
    task = ask(Gate(approval=True), "gate")
    task.downstream_task_ids = {"promote"}
    event = {"chosen_options": ["Reject"], "responded_by_user": ALICE, "responded_at": AT, "params_input": {}}
    assert answer_of(task.execute_complete({"task": task, "ti": None}, event)).said == "rejected"
