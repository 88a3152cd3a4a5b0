"""The task with which Airflow asks a person for an approval, and its answer."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.promotion.approval import Answer
from ml_platform.records.persons import HOME, ON_BEHALF_OF, REASON, person
from ml_platform.specs.parts import Gate, Promotion, timedelta_of

WHY = "Why you approve or reject. It is recorded with the decision."


class Approval(ApprovalOperator):
    """Asks and waits without a worker. The next task runs after any answer, because a rejection is recorded too."""

    def __init__(self, *, is_needed: Callable[[], bool] | None = None, **options: Any) -> None:
        """Ask always, or only in runs in which `is_needed` says so; in others the task is skipped."""
        super().__init__(**options)
        self._is_needed = is_needed

    def execute(self, context: Any) -> Any:
        """Ask, and wait for the answer."""
        if self._is_needed and not self._is_needed():
            raise AirflowSkipException("nobody is asked in this run")
        return super().execute(context)

    def validate_params_input(self, params_input: Mapping[str, Any]) -> None:
        """Check the fields of the form; the name that the home page sends along is no field."""
        super().validate_params_input({name: value for name, value in params_input.items() if name != ON_BEHALF_OF})

    def skip(self, ti: Any, tasks: Iterable[Any]) -> None:
        """Skip nothing. Airflow's operator would skip the next tasks after a rejection."""


def ask(rule: Gate | Promotion, question_from: str, is_needed: Callable[[], bool] | None = None) -> Approval:
    """Return the task `approval`, which asks for an approval or a rejection. No answer in time is a rejection.

    Args:
        rule: the part of the spec that limits the time to answer.
        question_from: id of the task that returned the question: `subject` and `body` (Markdown).
        is_needed: says in a run whether a person is asked; None: always.
    """
    return Approval(
        task_id="approval",
        is_needed=is_needed,
        subject=f"{{{{ ti.xcom_pull(task_ids='{question_from}')['subject'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{question_from}')['body'] }}}}",
        defaults=Approval.REJECT,
        response_timeout=timedelta_of(rule.approval_within),
        params={REASON: Param(None, type=["null", "string"], title="Reason", description=WHY)},
    )


def answer_of(response: Mapping[str, Any]) -> Answer:
    """Return the answer from Airflow's response.

    An approval without a user does not count, and one of the home page only with a person's name and a reason.
    """
    user, moment, form = response["responded_by_user"], response["responded_at"], response.get("params_input") or {}
    by = person(user["name"], form.get(ON_BEHALF_OF)) if user else None
    reason = str(form.get(REASON) or "").strip() or None
    is_complete = by is not None and by != HOME and (user["name"] != HOME or reason is not None)
    return Answer(
        approved=is_complete and response["chosen_options"] == [Approval.APPROVE],
        by=by,
        at=moment if isinstance(moment, datetime) else datetime.fromisoformat(moment),
        reason=reason,
    )
