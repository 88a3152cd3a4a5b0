"""What happened to a model: which version was live when, who moved it and why, and what did not go live.

From Postgres alone: it is there while MLflow is away. A change made by hand in MLflow shows up at the next look of a
training or of `ml-platform models history`, which record it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.promotion.history import Period, recorded_history
from ml_platform.specs.tasks import Metric, gain
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class GateDecision:
    """A decision of the gate about a version, with its figures.

    Attributes:
        decision_id: its row of `models.decisions`.
        version: the challenger.
        decided_at: when (UTC).
        decided_by: the DAG or the person.
        decision: promoted, kept (the champion stayed) or refused (the version must not go live).
        reason: in words, with the figures.
        metric: by which both were compared.
        score: of the version; None if it was not measured.
        champion_before: the version that was live; None if there was none.
        champion_score: of that version on the same rows; None if it was not measured.
        rows: number of these rows.
        gain: by how much the version is better, see `specs.tasks.gain`; None if there was nothing to compare.
        gain_low: low end of the interval of the gain.
        gain_high: high end.
        min_gain: that the gain must reach.
        confidence: of the interval.
        approval: approved, rejected or no answer; None if nobody was asked.
        answered_by: the person; None if nobody answered.
    """

    decision_id: int
    version: int
    decided_at: datetime
    decided_by: str
    decision: str
    reason: str
    metric: Metric
    score: float | None
    champion_before: int | None
    champion_score: float | None
    rows: int | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    min_gain: float
    confidence: float
    approval: str | None
    answered_by: str | None


@dataclass(frozen=True)
class Event:
    """A version went live, or it was decided that it does not.

    Attributes:
        at: when (UTC).
        until: when another one went live; None if it still is, or never was.
        version: its number; None if from then on no version was live.
        went_live: whether it did.
        by: the person or DAG; `unknown` if it was moved in MLflow.
        approved_by: the person who approved or rejected it; None if nobody was asked, or nobody answered.
        why: gate, rollback, promotion (from another platform) or by hand.
        reason: in words.
        decision: of the gate behind it; None if there was none.
    """

    at: datetime
    until: datetime | None
    version: int | None
    went_live: bool
    by: str
    approved_by: str | None
    why: str
    reason: str
    decision: GateDecision | None

    @property
    def is_live(self) -> bool:
        """Whether the version is live now."""
        return self.went_live and self.until is None and self.version is not None


def events(name: str) -> list[Event]:
    """Return all that happened to a model, the newest first.

    Raises:
        ServiceError: Postgres is not available.
    """
    found = {one.decision_id: one for one in decisions(name)}
    live = [_went_live(period, found.pop(period.decision_id or 0, None)) for period in recorded_history(name)]
    return sorted([*live, *map(_stayed, found.values())], key=lambda event: event.at, reverse=True)


def decisions(name: str) -> list[GateDecision]:
    """Return the decisions of the gate about a model's versions, the newest first.

    Raises:
        ServiceError: Postgres is not available.
    """
    columns = ", ".join(column for column, _ in _COLUMNS)
    statement = f"SELECT {columns} FROM models.decisions WHERE model = $1 ORDER BY decision_id DESC"  # noqa: S608 – names of our own
    return [_decision(row) for row in fetch(statement, name)]


_COLUMNS = [  # of the table, and the attribute
    *((name, name) for name in ("decision_id", "version", "decided_at", "decided_by", "decision", "reason", "metric")),
    *(("challenger_score", "score"), ("champion_before", "champion_before"), ("champion_score", "champion_score")),
    *((name, name) for name in ("rows", "gain_low", "gain_high", "min_gain", "confidence", "approval", "answered_by")),
]


def _decision(row: tuple[Any, ...]) -> GateDecision:
    found = {attribute: value for (_, attribute), value in zip(_COLUMNS, row, strict=True)}
    ours, theirs = found["score"], found["champion_score"]
    is_compared = ours is not None and theirs is not None
    return GateDecision(**found, gain=gain(found["metric"], ours, theirs) if is_compared else None)


def _went_live(period: Period, decision: GateDecision | None) -> Event:
    return Event(
        at=period.valid_from, until=period.valid_to, version=period.version, went_live=period.version is not None,
        by=period.moved_by, approved_by=period.approved_by, why=period.why, reason=period.reason, decision=decision,
    )  # fmt: skip


def _stayed(decision: GateDecision) -> Event:
    return Event(
        at=decision.decided_at, until=None, version=decision.version, went_live=False, by=decision.decided_by,
        approved_by=decision.answered_by, why="gate", reason=decision.reason, decision=decision,
    )  # fmt: skip
