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


def response(chosen: str, user: str, **form: object) -> dict[str, object]:
    who = {"id": "7", "name": user}
    return {"chosen_options": [chosen], "responded_by_user": who, "responded_at": AT, "params_input": form}


def test_the_home_page_answers_in_the_name_of_a_person() -> None:
    answer = answer_of(response("Approve", "home", reason=" looked\nat it ", on_behalf_of="ann"))
    assert answer == Answer(True, "ann", AT, "looked\nat it")
    assert answer.sentence == "approved by ann (looked at it)"


def test_nobody_else_answers_in_the_name_of_another_person() -> None:
    answer = answer_of(response("Approve", "mallory", reason="trust me", on_behalf_of="ann"))
    assert answer == Answer(True, "mallory", AT, "trust me")


@pytest.mark.parametrize("form", [{}, {"reason": "good"}, {"on_behalf_of": "ann"}, {"on_behalf_of": "home"}])
def test_an_approval_of_the_home_page_needs_a_person_and_a_reason(form) -> None:
    answer = answer_of(response("Approve", "home", **form))
    assert (answer.approved, answer.outcome) == (False, "rejected")


def test_in_airflows_own_form_the_reason_is_optional() -> None:
    assert answer_of(response("Approve", "alice", reason=None)) == Answer(True, "alice", AT)
    assert answer_of(response("Approve", "alice") | {"params_input": None}) == Answer(True, "alice", AT)
    (field,) = ask(Gate(approval=True), "gate").serialized_params.values()
    assert (field["schema"]["type"], field["value"]) == (["null", "string"], None)


@pytest.mark.parametrize("form", [{"reason": "x"}, {"reason": "x", "on_behalf_of": "ann"}, {}])
def test_the_name_of_the_home_page_is_no_field_of_the_form(form) -> None:
    task = ask(Gate(approval=True), "gate")
    event = response("Approve", "home", **form)
    assert task.execute_complete({"task": task, "ti": None}, event)["params_input"] == form


def test_unknown_fields_are_refused() -> None:
    task = ask(Gate(approval=True), "gate")
    with pytest.raises(ValueError, match="does not match params"):
        task.execute_complete({"task": task, "ti": None}, response("Approve", "mallory", version=3))


def test_after_a_rejection_the_next_task_is_not_skipped(monkeypatch) -> None:
    monkeypatch.setattr(SkipMixin, "skip", lambda *_, **__: pytest.fail("a task is skipped"))
    task = ask(Gate(approval=True), "gate")
    task.downstream_task_ids = {"promote"}
    event = {"chosen_options": ["Reject"], "responded_by_user": ALICE, "responded_at": AT, "params_input": {}}
    assert answer_of(task.execute_complete({"task": task, "ti": None}, event)).outcome == "rejected"


def test_a_run_in_which_nobody_is_asked_skips_the_question() -> None:
    with pytest.raises(AirflowSkipException, match="nobody is asked"):
        ask(Gate(), "gate", lambda: False).execute({})
