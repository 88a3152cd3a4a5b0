# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare a search with an ensemble with AutoGluon's default: the same rows, hold-outs, cores and time.

Five data sets were chosen before any result was seen: two classes, three classes and numbers; small and less small.
Each has several hold-outs, which share no row; an entity or a day is on one side only. Both sides choose models by the
same metric, and decision thresholds by training rows alone. AutoGluon has the time that our side took. It gets an
environment of its own, made from a lock file beside this program. `--write` puts the table into the documents.
"""

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes, load_wine
from sklearn.metrics import f1_score, log_loss, mean_absolute_error, roc_auc_score, root_mean_squared_error

from benchmarks.bench_search import load as load_sample
from ml_platform import RANDOM_STATE
from ml_platform.evaluation.holdout_report import outputs_of
from ml_platform.specs.parts import Search
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRICS
from ml_platform.training import ensembling, strategies
from ml_platform.training.choice import choose, order_of
from ml_platform.training.fitting import fit
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import Split, split
from ml_platform.training.stopwatch import Stopwatch
from ml_platform.training.training_set import TrainingSet
from ml_platform.training.workers import own_workers

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "search.md"
BEGIN, END = "<!-- written by: make bench args=automl -->\n", "<!-- end -->"
LOCK, ENVIRONMENT = ROOT / "benchmarks" / "automl.lock", ROOT / ".bench" / "automl"
CORES, FOLDS, RESAMPLES = 2, 5, 1000
SEARCH_SHARE = 0.5  # of the time; the rest is for the fit of the chosen candidate with its calibration
FILES = {
    "auto": ["train_auto.csv"],
    "flights": ["weather.csv.gz", "train_flights.csv.gz"],
    "penguin_mass": ["train_penguin_mass.csv"],
}
SHIPPED = {"wine": load_wine, "diabetes": load_diabetes}  # with scikit-learn
NAMES = [*FILES, *SHIPPED]
TREES = {
    "learning_rate": {"low": 0.02, "high": 0.2, "log": True},
    "max_iter": {"low": 50, "high": 500, "log": True},
    "max_leaf_nodes": {"low": 3, "high": 31, "log": True},
}
LIGHTGBM = {
    "learning_rate": {"low": 0.02, "high": 0.2, "log": True},
    "num_leaves": {"low": 3, "high": 63, "log": True},
    "min_child_samples": {"low": 2, "high": 60, "log": True},
}
FOREST = {"min_samples_leaf": {"low": 1, "high": 20, "log": True}, "max_features": [0.3, 1.0]}
SPACES = {
    "classifier": {
        "logistic_regression": {"C": {"low": 0.001, "high": 10, "log": True}},
        "hist_gradient_boosting": TREES, "random_forest": FOREST, "lightgbm": LIGHTGBM,
    },
    "regressor": {
        "ridge": {"alpha": {"low": 0.1, "high": 100, "log": True}},
        "hist_gradient_boosting": TREES, "random_forest": FOREST, "lightgbm": LIGHTGBM,
    },
}  # fmt: skip

Scores = dict[str, Callable[["Predicted", NDArray[np.intp]], float]]


@dataclass(frozen=True)
class Predicted:
    """What one side predicts for the rows of one hold-out.

    Attributes:
        labels: the true values, shape (n_rows,).
        predictions: shape (n_rows,).
        raw: probabilities of shape (n_rows, n_classes); of numbers the predictions.
        seconds: time of search and fit.
        model: what was chosen.
    """

    labels: NDArray[Any]
    predictions: NDArray[Any]
    raw: NDArray[np.float64]
    seconds: float
    model: str


def _error(metric: Callable[..., float], attribute: str) -> Callable[[Predicted, NDArray[np.intp]], float]:
    return lambda side, rows: -float(metric(side.labels[rows], getattr(side, attribute)[rows]))


def _log_loss(side: Predicted, rows: NDArray[np.intp]) -> float:
    shares = side.raw[rows] / side.raw[rows].sum(axis=1, keepdims=True)
    return -float(log_loss(side.labels[rows], shares, labels=np.arange(side.raw.shape[1])))


SCORES: dict[str, Scores] = {  # more is better; the first is the one by which both sides choose
    "binary": {
        "F1": lambda side, rows: float(f1_score(side.labels[rows], side.predictions[rows])),
        "ROC AUC": lambda side, rows: float(roc_auc_score(side.labels[rows], side.raw[rows, 1])),
        "log loss": _log_loss,
    },
    "multiclass": {
        "F1, mean over the classes": lambda side, rows: float(
            f1_score(side.labels[rows], side.predictions[rows], average="macro")
        ),
        "log loss": _log_loss,
    },
    "regression": {
        "mean absolute error": _error(mean_absolute_error, "predictions"),
        "root mean squared error": _error(root_mean_squared_error, "predictions"),
    },
}


def load(name: str) -> TrainingSet:
    """Return the rows of a data set."""
    if name in FILES:
        return load_sample(name, FILES[name])
    shipped = SHIPPED[name](as_frame=True)
    features = {f"x{number}": values for number, (_, values) in enumerate(shipped.data.items())}
    classes = [str(one) for one in getattr(shipped, "target_names", [])]
    spec = Dataset.model_validate({
        "name": name, "description": f"The data set {name} of scikit-learn.", "entity": {"name": "row", "key": "row"},
        "label": {"column": "target", "classes": classes} if classes else {"column": "target", "kind": "number"},
        "columns": {
            "row": "integer", "target": "category" if classes else "number", **dict.fromkeys(features, "number"),
        },
    })  # fmt: skip
    start = {"row": range(len(shipped.data)), "event_timestamp": pd.Timestamp("2026-01-01", tz="UTC")}
    label = shipped.target.astype("int64" if classes else "float64")
    return TrainingSet(spec, pd.DataFrame(start | features | {"target": label}), tuple(classes), name, "", [])


def holdouts(data: TrainingSet, number: int) -> Iterator[Split]:
    """Yield the rows with different hold-outs, each a fifth of them; an entity or a day is on one side only."""
    parts = split(data, FOLDS)
    whole = replace(parts, in_holdout=np.zeros(len(data.frame), dtype=bool))
    for _, own in whole.folds(FOLDS)[:number]:
        in_holdout = np.zeros(len(data.frame), dtype=bool)
        in_holdout[own] = True
        yield replace(parts, in_holdout=in_holdout)


def search_of(kind: str, seconds: float) -> dict[str, Any]:
    """Return our side's section `search`, as a YAML would have it."""
    return {
        "strategy": "tpe", "trials": 500, "timeout": f"{max(1, round(seconds * SEARCH_SHARE))}s", "ensemble": 5,
        "folds": FOLDS, "jobs": CORES, "candidates": SPACES[kind],
    }  # fmt: skip


def ours(parts: Split, seconds: float) -> Predicted:
    """Search, choose, calibrate and fit as a training does."""
    search = {"scoring": METRICS[parts.task.name][0]} | search_of(parts.task.estimator_type, seconds)
    spec = parts.dataset.model_copy(update={"search": Search.model_validate(search)})
    parts, plan, watch = replace(parts, dataset=spec), SearchPlan.of(spec), Stopwatch()
    kept, folds = ensembling.KeptOutputs(plan.scoring), parts.folds(FOLDS)
    with own_workers():
        singles = map(kept.add, strategies.results(plan, parts, folds, {}, watch))
        results = list(chain(singles, ensembling.results(plan, parts, folds, kept, {})))
        chosen = choose(results, order_of(plan, results), plan.scoring)
        if chosen is None:
            raise SystemExit(f"{spec.name}: no candidate could be fitted")
        model = fit(chosen.candidate, parts, FOLDS, CORES)
    elapsed = watch.seconds()
    features, labels = parts.test()
    task = parts.task.as_fitted(model)
    outputs = outputs_of(task, model, features)
    raw = np.column_stack([1 - outputs, outputs]) if task.name == "binary" else outputs
    return Predicted(np.asarray(labels), task.predictions(outputs), raw, elapsed, str(chosen.candidate))


def theirs(parts: Split, seconds: float) -> Predicted:
    """Fit AutoGluon's default on the same rows, in its environment."""
    label = parts.dataset.label.column
    (features, labels), (test, truth) = parts.train(), parts.test()
    job = {"label": label, "task": parts.task.name, "seconds": seconds, "cores": CORES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        features.assign(**{label: labels}).to_parquet(folder / "train.parquet", index=False)
        test.to_parquet(folder / "test.parquet", index=False)
        program = str(Path(__file__).with_name("automl_fit.py"))
        python = str(ENVIRONMENT / "bin" / "python")
        subprocess.run([python, program, name], check=True, capture_output=True, env={"PATH": "/usr/bin:/bin"})  # noqa: S603 – our own
        found = pd.read_parquet(folder / "predictions.parquet")
        run = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
    predictions = found.pop("prediction").to_numpy()
    raw = found.to_numpy() if len(found.columns) else predictions
    return Predicted(np.asarray(truth), predictions, raw, run["seconds"], run["model"])


def compare(
    pairs: list[tuple[Predicted, Predicted]], scores: Scores
) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield per metric: its name, both means over the hold-outs, their difference, and its standard error.

    The error is that of a paired bootstrap: rows are drawn with replacement within each hold-out.
    """
    random = np.random.default_rng(RANDOM_STATE)
    drawn = [[random.integers(0, n, n) for _ in range(RESAMPLES)] for n in (len(one.labels) for one, _ in pairs)]
    for name, score in scores.items():
        mine, other = (
            float(np.mean([score(pair[k], np.arange(len(pair[k].labels))) for pair in pairs])) for k in (0, 1)
        )
        gains = [
            np.mean([score(a, rows[r]) - score(b, rows[r]) for (a, b), rows in zip(pairs, drawn, strict=True)])
            for r in range(RESAMPLES)
        ]
        yield name, mine, other, mine - other, float(np.std(gains, ddof=1))


def rows(name: str, task: str, pairs: list[tuple[Predicted, Predicted]]) -> Iterator[str]:
    """Yield a line of the table per metric; errors are shown as they are, and more of a difference is better."""
    seconds = [f"{np.mean([pair[k].seconds for pair in pairs]):.0f} s" for k in (0, 1)]
    for metric, mine, other, difference, error in compare(pairs, SCORES[task]):
        low, high = difference - 1.96 * error, difference + 1.96 * error
        verdict = "worse" if high < 0 else "better" if low > 0 else "no worse"
        yield (
            f"| {name} | {metric} | {abs(mine):.4g} | {abs(other):.4g} | {difference:+.3g} ± {error:.2g} | {verdict} | "
            f"{seconds[0]} | {seconds[1]} |\n"
        )


def prepare_environment() -> None:
    """Make the environment of AutoGluon, if it is not there."""
    stamp = ENVIRONMENT / "lock"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    python = str(ENVIRONMENT / "bin" / "python")
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)],
        [uv, "pip", "sync", "--quiet", "--python", python, str(LOCK)],
    ):
        subprocess.run(command, check=True)  # noqa: S603 – our own
    stamp.write_bytes(LOCK.read_bytes())


def main() -> None:
    """Compare on the data sets; print a table, and write it if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--seconds", type=float, default=20, help="of each search and fit, about")
    parser.add_argument("--holdouts", type=int, choices=range(1, FOLDS + 1), default=2)
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    prepare_environment()
    lines = [
        "| data set | metric | ours | AutoGluon | difference | ours is | time, ours | AutoGluon |\n",
        "|---|---|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    for name in options.sets:
        data, pairs, start = load(name), [], time.monotonic()
        for parts in holdouts(data, options.holdouts):
            mine = ours(parts, options.seconds)
            pairs.append((mine, theirs(parts, max(options.seconds, mine.seconds))))
            sys.stderr.write(f"{name}: {', '.join(f'{one.model} in {one.seconds:.0f} s' for one in pairs[-1])}\n")
        more = list(rows(name, parts.task.name, pairs))
        sys.stdout.writelines(more)
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.monotonic() - start:.0f} s in all\n")
        lines += more
        if options.write:
            before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
            PAGE.write_text(f"{before}{BEGIN}\n{''.join(lines)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
