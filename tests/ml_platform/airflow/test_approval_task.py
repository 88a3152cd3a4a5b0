"""The answer in Airflow's response, and the task after a rejection, which records it."""

from datetime import UTC, datetime

import pytest
from airflow.providers.standard.utils.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow.approval_task import answer_of, ask
from ml_platform.promotion.approval import Answer
from ml_platform.specs.parts import Gate

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALICE = {"id": "7", "name": "alice"}


@pytest.mark.parametrize(
    ("chosen", "user", "answer", "outcome"),
    [
        ("Approve", ALICE, Answer(True, "alice", AT), "approved"),
        ("Reject", ALICE, Answer(False, "alice", AT), "rejected"),
        ("Reject", None, Answer(False, None, AT), "no answer"),
        ("Approve", None, Answer(False, None, AT), "no answer"),  # an approval without a user
    ],
)
@pytest.mark.parametrize("at", [AT, AT.isoformat()])
def test_the_answer_is_that_of_airflows_response(chosen, user, answer, outcome, at) -> None:
    response = {"chosen_options": [chosen], "responded_by_user": user, "responded_at": at, "params_input": {}}
    assert answer_of(response) == answer
    assert answer_of(response).outcome == outcome


def test_after_a_rejection_the_next_task_is_not_skipped(monkeypatch) -> None:
    monkeypatch.setattr(SkipMixin, "skip", lambda *_, **__: pytest.fail("a task is skipped"))
    task = ask(Gate(approval=True), "gate")
    task.downstream_task_ids = {"promote"}
    event = {"chosen_options": ["Reject"], "responded_by_user": ALICE, "responded_at": AT, "params_input": {}}
    assert answer_of(task.execute_complete({"task": task, "ti": None}, event)).outcome == "rejected"


def test_a_run_in_which_nobody_is_asked_skips_the_question() -> None:
    with pytest.raises(AirflowSkipException, match="nobody is asked"):
        ask(Gate(), "gate", lambda: False).execute({})
