# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare two ways to choose and fit a model, on rows that neither has seen: a plain grid search, and the platform's.

The plain one searches a grid of common values, takes the candidate with the highest mean F1 (two classes: at 0.5), and
tunes a threshold out of fold; its probabilities stay as they are. The platform's searches the default grid, compares
at thresholds out of fold, takes the simplest candidate within one standard error, and calibrates. Both use the same
rows, folds and hold-outs, in one run; each table is split several times, with other entities held out each time.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.model_selection import TunedThresholdClassifierCV, cross_val_score
from threadpoolctl import threadpool_limits

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.holdout_report import outputs_of
from ml_platform.parsing.batches import read_batches
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Search
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, candidates, pipeline
from ml_platform.training.choice import choose
from ml_platform.training.fitting import fit
from ml_platform.training.search import search
from ml_platform.training.split import Split, split
from ml_platform.training.training_set import TrainingSet, model_input

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "model-quality.md"
BEGIN, END = "<!-- written by: make bench args=model_quality -->\n", "<!-- end -->"
JOBS, FOLDS = 2, 5
PLAIN_GRID = Search(candidates={
    "logistic_regression": {"class_weight": [None, "balanced"], "C": [1.0, 0.1]},
    "random_forest": {"class_weight": [None, "balanced"], "min_samples_leaf": [5, 2]},
    "hist_gradient_boosting": {"class_weight": [None, "balanced"], "learning_rate": [0.05, 0.1]},
})  # fmt: skip
METRICS = ("f1", "roc_auc", "calibration_error", "brier")
Fitted = tuple[Candidate, BaseEstimator]


@dataclass(frozen=True)
class Outcome:
    """One side on one split: what it chose, its metrics on the hold-out, and its time."""

    candidate: Candidate
    metrics: dict[str, float]
    seconds: float


def plain(parts: Split) -> Fitted:
    """Search a common grid, and take the best mean."""
    dataset = parts.dataset.model_copy(update={"search": PLAIN_GRID})
    grid, features_labels, folds = candidates(dataset), parts.train(), parts.folds(FOLDS)
    is_binary = parts.task.name == "binary"
    means = Parallel(n_jobs=JOBS)(delayed(_mean_f1)(one, parts, is_binary) for one in grid)
    best = grid[int(np.argmax(means))]
    model: BaseEstimator = pipeline(best, parts.dataset)
    if is_binary:
        model = TunedThresholdClassifierCV(model, scoring="f1", cv=folds, n_jobs=JOBS, random_state=RANDOM_STATE)
    return best, model.fit(*features_labels)


def _mean_f1(candidate: Candidate, parts: Split, is_binary: bool) -> float:
    with threadpool_limits(1):
        scoring = "f1" if is_binary else "f1_macro"
        model = pipeline(candidate, parts.dataset)
        return float(cross_val_score(model, *parts.train(), cv=parts.folds(FOLDS), scoring=scoring).mean())


def platform(parts: Split) -> Fitted:
    """Search, choose, calibrate and fit as a training does."""
    dataset = parts.dataset.model_copy(update={"search": Search()})
    grid = candidates(dataset)
    results = list(search(grid, dataset, parts.task, *parts.train(), folds=parts.folds(FOLDS), jobs=JOBS))
    chosen = choose(results, grid, "f1")
    if chosen is None:
        raise SystemExit(f"no candidate could be fitted: {results[0].error}")
    return chosen.candidate, fit(chosen.candidate, parts, FOLDS, JOBS)


SIDES: dict[str, Callable[[Split], Fitted]] = {"plain grid search": plain, "the platform": platform}


def measure(side: Callable[[Split], Fitted], parts: Split) -> Outcome:
    """Run one side, and measure its model on the hold-out."""
    start = time.perf_counter()
    with threadpool_limits(1):
        candidate, model = side(parts)
        seconds = time.perf_counter() - start
        features, labels = parts.test()
        task = parts.task.as_fitted(model)
        outputs = outputs_of(task, model, features)
    metrics = task.metrics(labels, outputs) | task.calibration_metrics(labels, outputs)
    return Outcome(candidate, metrics, seconds)


def sample() -> TrainingSet:
    """Return the sample `auto` as a training set."""
    auto = dataset("auto")
    with (ROOT / "minio" / "samples" / "train_auto.csv").open("rb") as file:
        batches = [batch.rows for batch in read_batches(file, auto, "train", "train_auto.csv")]
    rows = pa.Table.from_batches(batches).to_pandas()
    return _training_set(auto, rows, rows[auto.label.column].astype("int64"), ("0", "1"))


def bundled(load: Callable[..., tuple[pd.DataFrame, pd.Series]]) -> TrainingSet:
    """Return a table that scikit-learn contains as a training set."""
    frame, label = load(return_X_y=True, as_frame=True)
    frame.columns = [str(name).replace("(", "").replace(")", "").replace("/", " ") for name in frame]
    return table(load.__name__.removeprefix("load_"), frame, label)


def table(name: str, frame: pd.DataFrame, label: pd.Series, positive: str | None = None) -> TrainingSet:
    """Return any table as a training set; columns of numbers are numbers, those of few texts categories.

    Args:
        name: of the data set.
        frame: the features, shape (n_rows, n_features).
        label: of each row, shape (n_rows,).
        positive: its positive value; not needed for several classes.
    """
    texts = label.astype(str)
    classes = sorted(set(texts), key=lambda text: (text == positive, text))
    numbers = frame.select_dtypes("number").columns
    kinds = {
        str(c): "number" if c in numbers else "category" for c in frame if c in numbers or frame[c].nunique() < 100
    }
    named = {"classes": classes} if len(classes) > 2 else {"positive": classes[1], "negative": classes[0]}
    spec = Dataset.model_validate({
        "name": name, "description": name, "entity": {"name": name, "key": "row_number"},
        "label": {"column": "label_value"} | named,
        "columns": {"row_number": "integer", "label_value": "category"} | kinds,
    })  # fmt: skip
    rows = frame.assign(row_number=np.arange(len(frame)))
    return _training_set(spec, rows, texts.map({text: index for index, text in enumerate(classes)}), tuple(classes))


def _training_set(spec: Dataset, rows: pd.DataFrame, indices: pd.Series, classes: tuple[str, ...]) -> TrainingSet:
    frame = model_input(spec, rows).assign(**{key: rows[key] for key in spec.keys})
    frame = frame.assign(event_timestamp=pd.Timestamp("2026-01-01", tz="UTC"), **{spec.label.column: indices})
    return TrainingSet(spec, frame, classes, sha256="", uri="", sources=[])


def compare(training_set: TrainingSet, splits: int) -> list[str]:
    """Run both sides on several splits; return the lines of a table in Markdown."""
    name, found = training_set.dataset.name, {side: list[Outcome]() for side in SIDES}
    for number in range(splits):
        # The name decides which entities are held out.
        spec = training_set.dataset.model_copy(update={"name": f"{name}_{number}"})
        parts = split(TrainingSet(spec, training_set.frame, training_set.classes, "", "", []), FOLDS)
        for side, run in SIDES.items():
            found[side].append(measure(run, parts))
    lines = [_line(name, side, outcomes) for side, outcomes in found.items()]
    first, second = ({m: _values(outcomes, m) for m in METRICS} for outcomes in found.values())
    gain = second["f1"] - first["f1"]
    error = gain.std(ddof=1) / np.sqrt(splits) if splits > 1 else float("nan")
    ratios = (second[metric].mean() / first[metric].mean() for metric in METRICS)
    cells = " | ".join(f"× {ratio:.2f}" for ratio in ratios)
    return [*lines, f"| | ratio; gain in F1 {gain.mean():+.3f} ± {error:.3f} | {cells} | | |\n"]


def _values(outcomes: list[Outcome], metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([outcome.metrics[metric] for outcome in outcomes])


def _line(name: str, side: str, outcomes: list[Outcome]) -> str:
    cells = " | ".join(f"{_values(outcomes, metric).mean():.3f}" for metric in METRICS)
    seconds = np.mean([outcome.seconds for outcome in outcomes])
    estimators = [outcome.candidate.estimator for outcome in outcomes]
    chosen = ", ".join(f"{estimators.count(one)} {one}" for one in dict.fromkeys(estimators))
    return f"| {name} | {side} | {cells} | {seconds:.0f} s | {chosen} |\n"


def write(lines: list[str], splits: int) -> None:
    """Replace the table in the documents."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(
        f"{before}{BEGIN}\n{''.join(lines)}\n{splits} hold-outs per table.\n\n{END}{after}", encoding="utf-8"
    )


def main() -> None:
    """Compare on the sample, on tables that scikit-learn contains, and on files that are named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=5, help="hold-outs per table")
    parser.add_argument("--csv", nargs=3, action="append", default=[], metavar=("FILE", "LABEL", "POSITIVE"))
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    tables = [sample(), *map(bundled, (load_breast_cancer, load_wine, load_digits))]
    for file, label, positive in options.csv:
        frame = pd.read_csv(file, na_values=[" "])
        frame.columns = [str(name).replace(".", "_") for name in frame]
        tables.append(table(Path(file).stem.lower(), frame.drop(columns=label), frame[label], positive))
    lines = [
        "| table | side | F1 | ROC AUC | calibration error | Brier | time | chosen |\n",
        "|---|---|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    for one in tables:
        more = compare(one, options.splits)
        sys.stdout.writelines(more)
        sys.stdout.flush()
        lines += more
    if options.write:
        write(lines, options.splits)


if __name__ == "__main__":
    main()
