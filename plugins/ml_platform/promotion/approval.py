"""What a person said when asked whether a challenger that has won may go live, and what the decision is by it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import Gate

if TYPE_CHECKING:  # the DAG files know of answers, but load no model
    from ml_platform.promotion.gate import Decision


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


def with_answer(decision: "Decision", answer: Answer | None, rule: Gate, name: str) -> "Decision":
    """Return what is decided of a challenger once a person was asked; one that has lost stays as it is.

    Args:
        decision: of the gate.
        answer: None if nobody was asked.
        rule: of the data set's spec.
        name: of the model.

    Raises:
        ConfigurationError: the rule wants an approval, and nobody was asked.
    """
    if decision.decision != "promoted":
        return decision
    if answer is None:
        if rule.approval:
            raise ConfigurationError(
                f"{name}: version {decision.version} may not go live: gate.approval is true, and nobody was asked"
            )
        return decision
    if answer.said == "approved":
        return replace(decision, reason=f"{decision.reason}; approved by {answer.by}")
    refusal = f"rejected by {answer.by}" if answer.by else f"no answer within {rule.approval_within}"
    return replace(decision, decision="kept", reason=f"{refusal}, though {decision.reason}")
