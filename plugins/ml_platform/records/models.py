# ruff: noqa: S608 – only constants are combined
"""The versions of a model: how good each is, what the gate decided, and who made it live."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

from ml_platform.registry import registry
from ml_platform.registry.registry import CHAMPION
from ml_platform.specs.tasks import Metric, gain
from ml_platform.storage import mlflow_client
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model. All times are in UTC.

    Attributes:
        model: its name, which is the data set's.
        version: its number.
        run_id: of the training in MLflow.
        registered_at: when it was recorded.
        recorded_by: the step, or the user.
        aliases: that name it now: champion, challenger, previous.
        metric: the main one; None if none is recorded.
        score: its value on the hold-out.
        score_low: low end of its 90 % interval; None of versions trained before intervals were recorded.
        score_high: high end.
        metrics: all metrics on the hold-out, by name.
        candidate: estimator and parameters, as a text.
        training_set_sha256: of its training set.
        decision: of the gate: promoted, kept or refused; None if it has not decided.
        decision_reason: in words, with the figures.
        decided_at: when.
        decided_by: the DAG or user.
        champion_before: the version with which it was compared.
        champion_score: of that version, on the same rows.
        rows: number of these rows.
        gain: by how much it is better than that version; see `specs.tasks.gain`.
        gain_low: low end of the gain's interval.
        gain_high: high end.
        confidence: of the gain's interval.
        made_live_by: who made it live last; None if it never was.
        made_live_at: when.
        made_live_why: gate, rollback, promotion or by hand.
        approved_by: who approved it; None if nobody was asked.
        page: of the version in MLflow.
        card_page: of its model card in MLflow; None if it has none.
    """

    model: str
    version: int
    run_id: str
    registered_at: datetime
    recorded_by: str
    aliases: tuple[str, ...] = ()
    metric: Metric | None = None
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    candidate: str | None = None
    training_set_sha256: str | None = None
    decision: str | None = None
    decision_reason: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    champion_before: int | None = None
    champion_score: float | None = None
    rows: int | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    confidence: float | None = None
    made_live_by: str | None = None
    made_live_at: datetime | None = None
    made_live_why: str | None = None
    approved_by: str | None = None
    page: str = ""
    card_page: str | None = None

    @property
    def is_champion(self) -> bool:
        """Whether the alias champion names it."""
        return CHAMPION in self.aliases


def versions(name: str, *, limit: int = 100, offset: int = 0) -> list[ModelVersion]:
    """Return the versions of a model that the platform recorded, the newest first.

    Args:
        name: of the model, which is the data set's.
        limit: number of versions, at most.
        offset: number of versions to leave out at the beginning.

    Raises:
        ServiceError: Postgres is not available.
        MlflowException: MLflow is not available.
    """
    found = fetch(f"{_SELECT} WHERE v.model = $1 {_NEWEST_FIRST} LIMIT $2 OFFSET $3", name, limit, offset)
    aliases = registry.aliases(name)
    return [_version(row, aliases) for row in found]


def version(name: str, number: int) -> ModelVersion | None:
    """Return a version of a model; None if the platform recorded none with this number.

    A model that was deleted in MLflow counts its versions from 1 again; the newest of that number is returned.
    """
    found = fetch(f"{_SELECT} WHERE v.model = $1 AND v.version = $2::int {_NEWEST_FIRST} LIMIT 1", name, number)
    return _version(found[0], registry.aliases(name)) if found else None


def champions() -> list[ModelVersion]:
    """Return the champion of each model that has one, by name."""
    named = registry.champions()
    pairs = json.dumps([[name, number] for name, number in named.items()])
    found = fetch(
        f"SELECT DISTINCT ON (model) * FROM ({_SELECT}) found WHERE (model, version) IN"
        " (SELECT pair->>0, (pair->>1)::int FROM jsonb_array_elements($1::text::jsonb) pair)"
        " ORDER BY model, recorded_at DESC",
        pairs,
    )
    return [_version(row, {CHAMPION: named[row[0]]}) for row in found]


_SELECT = (
    "SELECT v.model, v.version, v.run_id, v.recorded_at, v.recorded_by, v.tags::text, d.metric, d.decision, d.reason,"
    " d.decided_at, d.decided_by, d.champion_before, d.challenger_score, d.champion_score, d.rows, d.gain_low,"
    " d.gain_high, d.confidence, d.answered_by, m.moved_by, m.moved_at, m.why"
    " FROM models.versions v LEFT JOIN models.decisions d USING (model, version, run_id)"
    " LEFT JOIN LATERAL (SELECT moved_by, moved_at, why FROM models.movements m WHERE m.model = v.model"
    " AND m.to_version = v.version AND m.run_id = v.run_id AND m.is_done ORDER BY movement_id DESC LIMIT 1) m ON true"
)
_NEWEST_FIRST = "ORDER BY v.recorded_at DESC, v.version DESC"


def _version(row: tuple[Any, ...], aliases: dict[str, int]) -> ModelVersion:
    model, number, run_id, recorded_at, recorded_by, text, decided_metric, *others = row
    decision, reason, decided_at, decided_by, before, ours, theirs, rows, low, high, confidence = others[:11]
    approved_by, moved_by, moved_at, why = others[11:]
    tags = json.loads(text)
    metrics = json.loads(tags.get("holdout_metrics", "{}"))
    metric = decided_metric or next((name for name in metrics if name in _METRICS), None)
    score_low, score_high = json.loads(tags.get("holdout_intervals", "{}")).get(metric, (None, None))
    return ModelVersion(
        model=model,
        version=number,
        run_id=run_id,
        registered_at=recorded_at.astimezone(UTC),
        recorded_by=recorded_by,
        aliases=tuple(sorted(alias for alias, named in aliases.items() if named == number)),
        metric=metric,
        score=metrics.get(metric, ours),
        score_low=score_low,
        score_high=score_high,
        metrics=metrics,
        candidate=tags.get("candidate"),
        training_set_sha256=tags.get("training_set_sha256"),
        decision=decision,
        decision_reason=reason,
        decided_at=_utc(decided_at),
        decided_by=decided_by,
        champion_before=before,
        champion_score=theirs,
        rows=rows,
        gain=gain(metric, ours, theirs) if metric and None not in (ours, theirs) else None,
        gain_low=low,
        gain_high=high,
        confidence=confidence,
        made_live_by=moved_by,
        made_live_at=_utc(moved_at),
        made_live_why=why,
        approved_by=approved_by,
        page=mlflow_client.version_url(model, number),
        card_page=mlflow_client.page_url(tags["model_card"]) if "model_card" in tags else None,
    )


_METRICS = {name for union in get_args(Metric) for name in (get_args(union) or (union,))}


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
