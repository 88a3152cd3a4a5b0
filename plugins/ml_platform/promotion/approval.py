"""What a person said when asked whether a challenger that has won may go live, and what the decision is by it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_platform.exceptions import ConfigurationError
from ml_platform.promotion.decision import Decision, with_verdict
from ml_platform.specs.parts import Gate


@dataclass(frozen=True)
class Question:
    """What a person is asked: a subject, and a body in Markdown."""

    subject: str
    body: str


@dataclass(frozen=True)
class Answer:
    """What came of the question.

    Attributes:
        approved: whether the challenger may go live.
        by: the user who answered; None if nobody did in time, and nothing is approved then.
        at: when (UTC).
    """

    approved: bool
    by: str | None
    at: datetime

    @property
    def said(self) -> Literal["approved", "rejected", "no answer"]:
        """What goes on record."""
        if self.by is None:
            return "no answer"
        return "approved" if self.approved else "rejected"


def with_answer(decision: Decision, answer: Answer | None, rule: Gate, name: str) -> Decision:
    """Return what is decided of a challenger once a person was asked; one that has lost stays as it is.

    Args:
        decision: of the gate.
        answer: None if nobody was asked.
        rule: of the data set's spec.
        name: of the model.

    Raises:
        ConfigurationError: the rule wants an approval, and nobody was asked.
    """
    if not decision.is_promoted:
        return decision
    if answer is None:
        if rule.approval:
            raise ConfigurationError(
                f"{name}: version {decision.version} may not go live: gate.approval is true, and nobody was asked"
            )
        return decision
    if answer.said == "approved":
        return with_verdict(decision, "promoted", f"{decision.reason}; approved by {answer.by}")
    refusal = f"rejected by {answer.by}" if answer.by else f"no answer within {rule.approval_within}"
    return with_verdict(decision, "kept", f"{refusal}, though {decision.reason}")
