"""Airflow's human approval between a judgement and its consequence: the question, and who answered it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

from ml_platform.promotion.approval import Answer
from ml_platform.specs.parts import Gate, Promotion, timedelta_of


class Approval(ApprovalOperator):
    """Asks, and waits without a worker; what comes after runs whatever the answer, for a no goes on record too."""

    def skip(self, ti: Any, tasks: Iterable[Any]) -> None:
        """Skip nothing, where Airflow's own would skip what comes after a rejection."""


def ask(rule: Gate | Promotion, question_from: str) -> Approval:
    """Return the task `approval`, which asks for a yes or no; no answer in time is a no.

    Args:
        rule: how long to wait.
        question_from: the task that returned what to ask: `subject` and `body` (Markdown).
    """
    return Approval(
        task_id="approval",
        subject=f"{{{{ ti.xcom_pull(task_ids='{question_from}')['subject'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{question_from}')['body'] }}}}",
        defaults=Approval.REJECT,
        response_timeout=timedelta_of(rule.approval_within),
    )


def answer_of(response: Mapping[str, Any]) -> Answer:
    """Return what Airflow recorded of the answer; a yes counts only with the user who said it."""
    user, moment = response["responded_by_user"], response["responded_at"]
    return Answer(
        approved=user is not None and response["chosen_options"] == [Approval.APPROVE],
        by=user["name"] if user else None,
        at=moment if isinstance(moment, datetime) else datetime.fromisoformat(moment),
    )
