"""The card of a training: made at its end, stored with its run, and read to show it."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from ml_platform.promotion.decision import Decision
from ml_platform.promotion.results import TrainingCard
from ml_platform.storage import mlflow_client
from ml_platform.storage.json_values import from_json, to_json
from ml_platform.training.candidates import Candidate
from ml_platform.training.results import Challenger
from ml_platform.training.training_set import TrainingSet

FILE = "training_card.json"


def training_card(training_set: TrainingSet, challenger: Challenger, decision: Decision) -> TrainingCard:
    """Return the card of a training with the decision about its challenger."""
    search = challenger.search
    return TrainingCard(
        model=challenger.name, promoted=decision.is_promoted, **asdict(decision),
        metrics=challenger.metrics, threshold=challenger.threshold,
        best_candidate=str(Candidate(*search.candidate)), candidate=search.candidate,
        candidates_tried=search.total, candidates_failed=search.failed,
        candidates_pruned=search.pruned,
        scoring=search.scoring, cv_score=search.score, cv_score_sd=search.score_sd,
        suspected_leaks=search.suspected_leaks,
        training_set=training_set.uri, training_set_sha256=training_set.sha256, sources=training_set.sources,
        run_id=challenger.run_id, url=challenger.url, compare_url=search.compare_url,
    )  # fmt: skip


def log_card(card: TrainingCard) -> None:
    """Store a card with its run."""
    mlflow_client.connect().log_dict(card.run_id, to_json(card), FILE)


def read_card(run_id: str) -> TrainingCard:
    """Return the card of the training with this run."""
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow_client.connect().download_artifacts(run_id, FILE, folder)
        return from_json(TrainingCard, json.loads(Path(path).read_text(encoding="utf-8")))
