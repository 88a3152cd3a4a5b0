"""The approval of a challenger that passed the gate: the question, the answer, and the decision after the answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion.decision import Decision, with_verdict
from ml_platform.specs.parts import Gate


@dataclass(frozen=True)
class Question:
    """A question to a person: a subject, and a body in Markdown."""

    subject: str
    body: str


@dataclass(frozen=True)
class Answer:
    """The answer to a question.

    Attributes:
        approved: whether the challenger may go live.
        by: the user who answered; None if nobody answered in time, which approves nothing.
        at: when (UTC).
        reason: why, in the words of the user; None if there are none.
    """

    approved: bool
    by: str | None
    at: datetime
    reason: str | None = None

    @property
    def outcome(self) -> Literal["approved", "rejected", "no answer"]:
        """The answer as `models.decisions` records it."""
        if self.by is None:
            return "no answer"
        return "approved" if self.approved else "rejected"

    @property
    def sentence(self) -> str:
        """Who answered what, and why, as `approved by ann (looked at the groups)`."""
        why = f" ({' '.join(self.reason.split())})" if self.reason else ""
        return f"{self.outcome} by {self.by}{why}" if self.by else self.outcome


def with_answer(decision: Decision, answer: Answer | None, rule: Gate, name: str) -> Decision:
    """Return the decision after a person has answered. A challenger that lost at the gate keeps its decision.

    Args:
        decision: of the gate.
        answer: None if nobody was asked.
        rule: the gate's part of the spec.
        name: of the model.

    Raises:
        ConfigurationError: the rule requires an approval, and nobody was asked.
    """
    if not decision.is_promoted:
        return decision
    if answer is None:
        if rule.approval:
            raise ConfigurationError(
                f"{name}: version {decision.version} may not go live: gate.approval is true, and nobody was asked"
            )
        return decision
    if answer.outcome == "approved":
        return with_verdict(decision, "promoted", f"{decision.reason}; {answer.sentence}")
    refusal = answer.sentence if answer.by else f"no answer within {rule.approval_within}"
    return with_verdict(decision, "kept", f"{refusal}, though {decision.reason}")


def with_reason(reason: str, answer: Answer | None) -> str:
    """Return the reason of a request, and after it that of the answer, if there is one."""
    return f"{reason}; {answer.by}: {' '.join(answer.reason.split())}" if answer and answer.reason else reason
