"""What waits for a person in Airflow: questions whether a version may go live, and their answers.

Raises, in each function:
    ServiceError: Airflow is not reachable, or failed; it is known within seconds.
    ConfigurationError: Airflow refused the request; the text says why.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.pages import address
from ml_platform.records import dag_names
from ml_platform.records.airflow_session import airflow
from ml_platform.records.persons import ON_BEHALF_OF, REASON, needed
from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import Gate, Promotion, timedelta_of

APPROVE, REJECT = "Approve", "Reject"  # the options of Airflow's ApprovalOperator


@dataclass(frozen=True)
class OpenQuestion:
    """A question that waits for an approval or a rejection.

    Attributes:
        verb: `train` (a challenger that passed the gate) or `promote` (a version for another environment).
        body: Markdown.
        since: when it was asked (UTC).
        deadline: when no answer becomes a rejection (UTC); None if the data set is not described any more.
        url: the page in Airflow that asks it.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    verb: str
    dataset: str | None
    subject: str
    body: str
    since: datetime
    deadline: datetime | None
    url: str


def waiting() -> list[OpenQuestion]:
    """Return the questions of the platform that wait for an answer, oldest first."""
    with airflow() as api:
        found = api.open_questions()
    rules = {dataset.name: (dataset.gate, dataset.promotion) for dataset in catalog().datasets} if found else {}
    ours = (entry for entry in found if dag_names.parts(entry["task_instance"]["dag_id"]))
    return [_question(entry, rules) for entry in ours]


def answer(question: OpenQuestion, *, approved: bool, reason: str, by: str) -> None:
    """Answer a question for a person.

    Args:
        question: of `waiting`.
        approved: whether the version may go live.
        reason: in words; it is recorded with the decision.
        by: the person.
    """
    form = {REASON: needed(reason, "the reason"), ON_BEHALF_OF: needed(by, "the name")}
    option = APPROVE if approved else REJECT
    with airflow() as api:
        api.answer(question.dag_id, question.run_id, question.task_id, option, form, question.map_index)


def _question(entry: Mapping[str, Any], rules: Mapping[str, tuple[Gate, Promotion]]) -> OpenQuestion:
    task = entry["task_instance"]
    verb, dataset = dag_names.parts(task["dag_id"]) or (task["dag_id"], None)
    since = datetime.fromisoformat(entry["created_at"])
    gate, promotion = rules.get(dataset or "", (None, None))
    rule = promotion if verb == "promote" else gate
    return OpenQuestion(
        dag_id=task["dag_id"], run_id=task["dag_run_id"], task_id=task["task_id"], map_index=task["map_index"],
        verb=verb, dataset=dataset, subject=entry["subject"], body=entry["body"] or "", since=since,
        deadline=since + timedelta_of(rule.approval_within) if rule else None,
        url=address(os.environ, "approvals", f"{task['dag_id']}/{task['dag_run_id']}"),
    )  # fmt: skip
