# ruff: noqa: TID253 – a program of its own, which no module imports
"""Measure what asking people is worth: F1 over the number of labels, rows chosen by `labels ask` or at random.

`make bench args=labels`. Both sides begin with the same random labels of a sample. In each round a model is fitted as
in a training, with its calibration and threshold, and the labels of more rows are revealed: those that `labels ask`
would choose with that model, or random ones. F1 is measured on the hold-out, of which nothing is asked. All of it is
repeated with other random labels. Intervals are at 95 %, by bootstrap over the repetitions; those of a difference are
over the differences of the same repetition.
"""

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from benchmarks.bench_snapshot_ensemble import load
from ml_platform.evaluation.task import Task
from ml_platform.labelling.selection import select
from ml_platform.specs.tasks import Estimator
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.split import Split

PAGE = Path(__file__).resolve().parents[1] / "docs" / "labels.md"
BEGIN = '<!-- written by: make bench args="labels --write" -->'
FOLDS, START, ASKED, ROUNDS, REPETITIONS, RESAMPLES = 3, 100, 50, 10, 15, 10_000
MODELS: list[tuple[str, Estimator, dict[str, object]]] = [("auto", "logistic_regression", {"class_weight": "balanced"})]
Choose = Callable[[pd.DataFrame, NDArray[np.float64], np.random.Generator, int], NDArray[np.intp]]


def asked(
    features: pd.DataFrame, uncertainty: NDArray[np.float64], _: np.random.Generator, count: int
) -> NDArray[np.intp]:
    """Choose rows as `labels ask` does."""
    return select(features, uncertainty, count)


def random(features: pd.DataFrame, _: NDArray[np.float64], source: np.random.Generator, count: int) -> NDArray[np.intp]:
    """Choose random rows."""
    return source.choice(len(features), min(count, len(features)), replace=False)


def of_rows(parts: Split, known: NDArray[np.intp]) -> Split:
    """Return a split in which only these training rows have a label; positions count the training rows."""
    training = np.flatnonzero(~parts.in_holdout)
    kept = np.sort(np.concatenate([training[known], np.flatnonzero(parts.in_holdout)]))
    rows = {name: getattr(parts, name).iloc[kept] for name in ("ids", "times", "features", "labels", "sensitive")}
    return replace(parts, in_holdout=parts.in_holdout[kept], **rows)


def fitted(candidate: Candidate, parts: Split) -> tuple[Task, Callable[[pd.DataFrame], NDArray[np.float64]]]:
    """Fit a model; return its task, with the threshold, and what gives its outputs."""
    model = fit(candidate, parts, FOLDS)
    task = parts.task.as_fitted(model)

    def outputs(features: pd.DataFrame) -> NDArray[np.float64]:
        probabilities = np.asarray(model.predict_proba(features))
        return probabilities[:, 1] if task.name == "binary" else probabilities

    return task, outputs


def curve(candidate: Candidate, parts: Split, choose: Choose, seed: int) -> list[float]:
    """Return F1 on the hold-out for each number of labels."""
    source = np.random.default_rng(seed)
    features, _ = parts.train()
    order = source.permutation(len(features))
    known, scores = order[:START], []
    test, labels = parts.test()
    for _ in range(ROUNDS + 1):
        task, outputs = fitted(candidate, of_rows(parts, known))
        scores.append(task.gate_score(labels, outputs(test)))
        rest = np.setdiff1d(order, known)
        pool = features.iloc[rest]
        chosen = choose(pool, task.uncertainty(outputs(pool)), source, ASKED)
        known = np.concatenate([known, rest[chosen]])
    return scores


def interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return mean and interval over the repetitions, shape (n_repetitions,)."""
    source = np.random.default_rng(0)
    means = values[source.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def text(values: NDArray[np.float64], sign: str = "") -> str:
    """Return mean and interval as people read them."""
    mean, low, high = (f"{value:{sign}.3f}" for value in interval(values))
    return f"{mean} ({low} to {high})"


def lines_of(name: str, candidate: Candidate, repetitions: int) -> list[str]:
    """Measure one model; return its rows of the table in Markdown."""
    parts = load(name)
    n_rows = int((~parts.in_holdout).sum())
    runs: dict[str, list[list[float]]] = {"asked": [], "random": []}
    for seed in range(repetitions):
        for side, choose in (("asked", asked), ("random", random)):
            runs[side].append(curve(candidate, parts, choose, seed))
    active, chance = np.array(runs["asked"]), np.array(runs["random"])
    everything, outputs = fitted(candidate, parts)
    test, labels = parts.test()
    best = everything.gate_score(labels, outputs(test))
    lines = [
        f"| `{name}`, `{candidate.estimator}` | {START + k * ASKED:,} | {text(active[:, k])} | {text(chance[:, k])} |"
        f" {text(active[:, k] - chance[:, k], '+')} |\n"
        for k in (0, 1, 2, 4, 7, ROUNDS)
    ]
    return [*lines, f"| `{name}`, `{candidate.estimator}` | all {n_rows:,} | {best:.3f} | {best:.3f} | |\n"]


def write(page: Path, lines: Sequence[str]) -> None:
    """Replace the table that follows the mark `BEGIN` on a page.

    Raises:
        SystemExit: the page has no such table.
    """
    content, found = re.subn(
        rf"({re.escape(BEGIN)}\n\n)(\|.*\n)+", lambda old: old[1] + "".join(lines), page.read_text(encoding="utf-8")
    )
    if found != 1:
        raise SystemExit(f"{page}: there is no table after {BEGIN}")
    page.write_text(content, encoding="utf-8")


def main() -> None:
    """Measure all models."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--write", action="store_true", help="replace the table in the documents")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    lines = ["| sample, estimator | labels | F1, asked | F1, random | difference |\n", "|---|---|---|---|---|\n"]
    sys.stdout.writelines(lines)
    for name, estimator, params in MODELS:
        found = lines_of(name, Candidate(estimator, params), options.repetitions)
        sys.stdout.writelines(found)
        sys.stdout.flush()
        lines += found
    if options.write:
        write(PAGE, lines)


if __name__ == "__main__":
    main()
