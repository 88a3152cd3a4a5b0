"""Questions that wait for a person, and their answers, as Airflow 3.3 has them."""

from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.records import approvals
from tests.ml_platform.records.airflow_answers import QUESTION, TASK, FakeAirflow


@pytest.fixture(autouse=True)
def specs(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [SimpleNamespace(approval_within=within) for within in ("2h", "1d")]
    dataset = SimpleNamespace(name="auto", gate=rules[0], promotion=rules[1])
    monkeypatch.setattr(approvals, "catalog", lambda: SimpleNamespace(datasets=[dataset]))


def of_dag(dag_id: str) -> dict[str, object]:
    return QUESTION | {"task_instance": TASK | {"dag_id": dag_id, "task_id": "approval"}}


def test_a_question_has_its_text_and_its_deadline(airflow: FakeAirflow) -> None:
    airflow.has(questions=[QUESTION])
    (question,) = approvals.waiting()
    assert (question.verb, question.dataset, question.subject) == ("train", "auto", "auto: may version 2 go live?")
    assert question.deadline == datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert question.url == "http://localhost:8082/dags/train_auto/runs/manual__1/required_actions"
    params = airflow.requests[0].url.params
    assert (params["response_received"], params.get_list("state")) == ("false", ["awaiting_input", "deferred"])


def test_each_kind_of_question_has_its_own_time_to_answer(airflow: FakeAirflow) -> None:
    airflow.has(questions=[of_dag("promote_auto"), of_dag("train_removed"), of_dag("my_own")])
    promotion, removed = approvals.waiting()
    assert promotion.deadline == datetime(2026, 1, 2, tzinfo=UTC)
    assert removed.deadline is None


@pytest.mark.parametrize(("approved", "option"), [(True, "Approve"), (False, "Reject")])
def test_an_answer_names_the_person_and_the_reason(airflow: FakeAirflow, approved: bool, option: str) -> None:
    airflow.has(questions=[QUESTION])
    approvals.answer(approvals.waiting()[0], approved=approved, reason=" looked at it ", by="ann")
    path = "/api/v2/dags/train_auto/dagRuns/manual__1/taskInstances/approval/-1/hitlDetails"
    assert (airflow.requests[-1].method, airflow.requests[-1].url.path) == ("PATCH", path)
    form = {"reason": "looked at it", "on_behalf_of": "ann"}
    assert airflow.sent() == {"chosen_options": [option], "params_input": form}


@pytest.mark.parametrize(("reason", "by"), [("", "ann"), (" ", "ann"), ("good", "")])
def test_an_answer_without_a_reason_or_a_name_is_not_sent(airflow: FakeAirflow, reason: str, by: str) -> None:
    airflow.has(questions=[QUESTION])
    (question,) = approvals.waiting()
    with pytest.raises(ConfigurationError, match="is missing"):
        approvals.answer(question, approved=False, reason=reason, by=by)
    assert all(request.method == "GET" for request in airflow.requests)


def test_a_question_that_was_answered_meanwhile_says_so(airflow: FakeAirflow) -> None:
    airflow.has(questions=[QUESTION])
    (question,) = approvals.waiting()
    path = "PATCH /dags/train_auto/dagRuns/manual__1/taskInstances/approval/-1/hitlDetails"
    airflow.answers[path] = httpx.Response(409, json={"detail": "has already been updated"})
    with pytest.raises(ConfigurationError, match="has already been updated"):
        approvals.answer(question, approved=True, reason="good", by="ann")


def test_the_options_are_those_of_the_task_that_asks() -> None:
    from ml_platform.airflow.approval_task import Approval

    assert (Approval.APPROVE, Approval.REJECT) == (approvals.APPROVE, approvals.REJECT)
