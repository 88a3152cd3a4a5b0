# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare a snapshot ensemble with boosted trees and with a single network, at an equal budget of time.

All sides use the same rows and the same folds, in one run. The budget is the CPU time that the boosted trees take to
fit the first fold. The two networks get as many epochs as fit into it, and differ only in the number of snapshots. All
intervals are at 95 %, from the same folds; those of a difference are from the differences fold by fold.
"""

import argparse
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from ml_platform.commands.samples import sample
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.evaluation.fold_intervals import half_width
from ml_platform.evaluation.task import Folds, OutOfFold
from ml_platform.parsing.batches import read_batches
from ml_platform.specs.catalog import dataset
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Split, split
from ml_platform.training.training_set import TrainingSet, model_input

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "model-quality.md"
README = ROOT / "README.md"
BEGIN = '<!-- written by: make bench args="snapshot_ensemble --write" -->'
FOLDS, SNAPSHOTS, TRIAL_EPOCHS = 5, 5, 25
# The first one that this installation has sets the budget.
BOOSTED: dict[str, dict[str, dict[str, Any]]] = {
    "ecg": {"xgboost": {"n_estimators": 100}, "hist_gradient_boosting": {"max_iter": 100}},
    "auto": {
        "xgboost": {"learning_rate": 0.05, "n_estimators": 400, "max_depth": 2},
        "hist_gradient_boosting": {"learning_rate": 0.05, "max_iter": 400, "max_leaf_nodes": 3},
    },
}
NETWORK: dict[str, dict[str, Any]] = {
    "ecg": {"hidden_layer_sizes": [128, 64], "alpha": 0.01},
    "auto": {"hidden_layer_sizes": [64], "alpha": 0.01},
}


@dataclass(frozen=True)
class Outcome:
    """One side on all folds: metrics and CPU seconds of a fit, by fold."""

    candidate: Candidate
    scores: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)


def load(name: str) -> Split:
    """Return a sample, split as a training splits it."""
    spec, path = dataset(name), sample(f"train_{name}")
    with path.open("rb") as file:
        rows = pa.Table.from_batches([batch.rows for batch in read_batches(file, spec, "train", path.name)]).to_pandas()
    texts = rows[spec.label.column].astype(str)
    # The index of the positive class is 1.
    classes = list(
        map(str, spec.label.classes or sorted(set(texts), key=lambda text: text == str(spec.label.positive)))
    )
    indices = texts.map({text: index for index, text in enumerate(classes)})
    times = rows[spec.event_time] if spec.event_time else pd.Timestamp("2026-01-01", tz="UTC")
    frame = model_input(spec, rows).assign(**{key: rows[key] for key in spec.keys})
    frame = frame.assign(event_timestamp=times, **{spec.label.column: indices})
    return split(TrainingSet(spec, frame, tuple(classes), sha256="", uri="", sources=[]), FOLDS)


def fit_seconds(candidate: Candidate, parts: Split, rows: NDArray[np.intp]) -> tuple[float, Any]:
    """Return the CPU seconds of a fit on these training rows, and the fitted pipeline."""
    features, labels = parts.train()
    start = time.process_time()
    model = pipeline(candidate, parts.dataset).fit(features.iloc[rows], labels.iloc[rows])
    return time.process_time() - start, model


def measure(candidate: Candidate, parts: Split, folds: Folds) -> Outcome:
    """Fit a candidate on each fold, and score the other rows."""
    features, labels = parts.train()
    probabilities = np.zeros((len(labels), len(parts.task.classes)))
    seconds = []
    for others, own in folds:
        taken, model = fit_seconds(candidate, parts, others)
        seconds.append(taken)
        probabilities[own] = model.predict_proba(features.iloc[own])
    return Outcome(
        candidate, parts.task.fold_metrics(OutOfFold(labels.to_numpy(), probabilities, probabilities, folds)), seconds
    )


def sides(parts: Split, folds: Folds) -> dict[str, Candidate]:
    """Return what is compared: the boosted trees of this installation, and two networks with their budget."""
    name, others = parts.dataset.name, folds[0][0]
    boosted = {
        estimator: Candidate(estimator, params)
        for estimator, params in BOOSTED[name].items()
        if estimator in ESTIMATORS
    }
    trials = [next(iter(boosted.values())), Candidate("snapshot_ensemble", NETWORK[name] | {"epochs": TRIAL_EPOCHS})]
    for candidate in trials:  # the first fit of each also loads libraries
        fit_seconds(candidate, parts, others)
    budget, trial = (fit_seconds(candidate, parts, others)[0] for candidate in trials)
    epochs = max(1, round(TRIAL_EPOCHS * budget / trial / SNAPSHOTS)) * SNAPSHOTS
    networks = {
        title: Candidate("snapshot_ensemble", NETWORK[name] | {"epochs": epochs, "n_snapshots": snapshots})
        for title, snapshots in (("snapshot_ensemble", SNAPSHOTS), ("the same network, one snapshot", 1))
    }
    return boosted | networks


def compare(parts: Split) -> list[str]:
    """Measure all sides on a sample; return the lines of a table in Markdown."""
    folds = parts.folds(FOLDS)
    with threadpool_limits(1):
        outcomes = {title: measure(candidate, parts, folds) for title, candidate in sides(parts, folds).items()}
    first = next(iter(outcomes.values()))
    return [_line(parts.dataset.name, title, outcome, first) for title, outcome in outcomes.items()]


def _line(name: str, title: str, outcome: Outcome, first: Outcome) -> str:
    cells = [name, f"{title}{_epochs(outcome.candidate)}"]
    for metric in ("f1", "roc_auc"):
        cells.append(_figure(outcome.scores[metric]))
        gains = np.subtract(outcome.scores[metric], first.scores[metric])
        cells.append("" if outcome is first else _figure(gains, sign="+"))
    cells.append(f"{np.mean(outcome.seconds):.2f} ± {half_width(outcome.seconds):.2f} s")
    return f"| {' | '.join(cells)} |\n"


def _epochs(candidate: Candidate) -> str:
    return f", {candidate.params['epochs']} epochs" if "epochs" in candidate.params else ""


def _figure(folds: ArrayLike, sign: str = "") -> str:
    return f"{np.asarray(folds, dtype=np.float64).mean():{sign}.3f} ± {half_width(folds):.3f}"


def write(page: Path, lines: list[str]) -> None:
    """Replace the table that follows the mark `BEGIN` on a page.

    Raises:
        SystemExit: the page has no such table.
    """
    text, found = re.subn(
        rf"({re.escape(BEGIN)}\n\n)(\|.*\n)+", lambda old: old[1] + "".join(lines), page.read_text(encoding="utf-8")
    )
    if found != 1:
        raise SystemExit(f"{page}: there is no table after {BEGIN}")
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Compare on the samples ecg and auto."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the tables in the documents")
    options = parser.parse_args()
    lines = [
        "| sample | side | F1 | F1, gain over the first | ROC AUC | ROC AUC, gain | CPU time of a fit |\n",
        "|---|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    for name in NETWORK:
        more = compare(load(name))
        sys.stdout.writelines(more)
        sys.stdout.flush()
        lines += more
    if options.write:
        write(PAGE, lines)
        write(README, [line for line in lines if not line.startswith("| auto")])


if __name__ == "__main__":
    main()
