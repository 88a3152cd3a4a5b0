# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare two strategies of a search, grid and tpe, on the samples: the best score over time, and on the hold-out.

The grid is that of the sample's YAML. The strategy tpe searches ranges of the same estimators, on the same rows, folds
and hold-out, for the time that the grid takes, and on until it has its number of trials. `make bench` starts the
servers, from which the training sets come. `--write` puts table and picture into the documents.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from matplotlib.figure import Figure

from ml_platform.evaluation.charts import BLUE, ORANGE, style_axes
from ml_platform.evaluation.holdout_report import outputs_of
from ml_platform.ingestion import uploads
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Search
from ml_platform.storage import object_store
from ml_platform.training import build_training_set, strategies, training_set
from ml_platform.training.choice import choose, simplest_first
from ml_platform.training.fitting import fit
from ml_platform.training.search import CandidateResult, rank
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import Split, split
from ml_platform.training.stopwatch import Stopwatch
from ml_platform.training.training_set import TrainingSet
from ml_platform.training.workers import own_workers

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs" / "search.md", ROOT / "docs" / "figures" / "search.png"
BEGIN, END = "<!-- written by: make bench args=search -->\n", "<!-- end -->"
FILES = {
    "auto": ["train_auto.csv"],
    "flights": ["weather.csv.gz", "train_flights.csv.gz"],
    "penguins": ["train_penguins.csv"],
}
WEIGHTS = {"class_weight": [None, "balanced"]}
RANGES = {
    "logistic_regression": WEIGHTS | {"C": {"low": 0.01, "high": 10, "log": True}},
    "hist_gradient_boosting": WEIGHTS | {
        "learning_rate": {"low": 0.02, "high": 0.2, "log": True},
        "max_iter": {"low": 50, "high": 500, "log": True},
        "max_leaf_nodes": {"low": 3, "high": 31, "log": True},
    },
    "random_forest": WEIGHTS | {"min_samples_leaf": {"low": 1, "high": 20, "log": True}},
}  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One side: its plan, and its results in the order in which they were there."""

    name: str
    plan: SearchPlan
    results: list[CandidateResult]

    def until(self, name: str, seconds: float) -> "Side":
        """Return what was there at a time, under another name."""
        return Side(name, self.plan, [result for result in self.results if result.elapsed <= seconds])


def load(name: str, files: Sequence[str]) -> TrainingSet:
    """Load the files of a sample as its DAGs do, and freeze its training set."""
    spec = dataset(name)
    tables = {file: table for file in files for table in (spec, *spec.tables) if table.name in file}
    for file, table in tables.items():
        body = (ROOT / "minio" / "samples" / file).read_bytes()
        object_store.client().put_object(Bucket="train", Key=file, Body=body)
        uploads.ingest(table, file)
    return training_set.load(spec, build_training_set.freeze(spec))


def run(name: str, search: Search, parts: Split) -> Side:
    """Search with one strategy."""
    spec = parts.dataset.model_copy(update={"search": search})
    plan, watch, results = SearchPlan.of(spec), Stopwatch(), list[CandidateResult]()
    with own_workers():
        for result in strategies.results(plan, parts, parts.folds(plan.folds), {}, watch):
            results.append(replace(result, elapsed=watch.seconds()))
    return Side(name, plan, results)


def compare(data: TrainingSet, trials: int) -> tuple[Split, Side, Side]:
    """Search a sample with both strategies; return the split, the grid and tpe."""
    search, parts = data.dataset.search, split(data, data.dataset.search.folds)
    ranges = {estimator: RANGES[estimator] for estimator in search.candidates}
    adaptive = {"strategy": "tpe", "trials": trials, "folds": search.folds, "jobs": search.jobs, "candidates": ranges}
    return parts, run("grid", search, parts), run("tpe", Search.model_validate(adaptive), parts)


def rows(parts: Split, grid: Side, tpe: Side) -> Iterator[str]:
    """Yield a line of the table per side, and one for tpe at the time at which the grid ended."""
    for side in (grid, tpe.until("tpe, as long", grid.results[-1].elapsed), tpe):
        scoring, results = side.plan.scoring, side.results
        ranked = rank(results, scoring)
        order = side.plan.candidates or simplest_first(results, side.plan.space, scoring)
        chosen = choose(results, order, scoring)
        if chosen is None:
            yield f"| {parts.dataset.name} | {side.name} | none was finished in time | | | | | | |\n"
            continue
        metrics = on_holdout(chosen, side.plan, parts)
        pruned = sum(result.pruned for result in results)
        yield (
            f"| {parts.dataset.name} | {side.name} | {len(results)}{f', {pruned} pruned' if pruned else ''} | "
            f"{results[-1].elapsed:.0f} s | {ranked[0].means['f1']:.3f} | {chosen.means['f1']:.3f} | "
            f"{metrics['f1']:.3f} | {metrics['roc_auc']:.3f} | {chosen.candidate.estimator} |\n"
        )


def on_holdout(chosen: CandidateResult, plan: SearchPlan, parts: Split) -> dict[str, float]:
    """Fit and calibrate a candidate as a training does, and return its metrics on the hold-out."""
    model = fit(chosen.candidate, parts, plan.folds, plan.jobs)
    features, labels = parts.test()
    task = parts.task.as_fitted(model)
    return task.metrics(labels, outputs_of(task, model, features))


def draw(compared: list[tuple[Split, Side, Side]]) -> Figure:
    """Draw the best F1 over time of both sides, one picture per sample."""
    figure = Figure(figsize=(4.2 * len(compared), 3.6), dpi=110, layout="constrained", facecolor="white")
    for axes, (parts, *sides) in zip(figure.subplots(1, len(compared), squeeze=False)[0], compared, strict=True):
        style_axes(axes, parts.dataset.name, "Seconds of search", "Best F1 so far, mean over the folds")
        for side, color in zip(sides, (BLUE, ORANGE), strict=True):
            scored = [result for result in side.results if result.means]
            best = accumulate((result.means["f1"] for result in scored), max)
            axes.step([r.elapsed for r in scored], list(best), "o-", where="post", ms=3, color=color, label=side.name)
        axes.legend(frameon=False, loc="lower right")
    return figure


def write(lines: list[str], figure: Figure) -> None:
    """Replace table and picture in the documents."""
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{''.join(lines)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def main() -> None:
    """Compare on the samples; print a table, and write it with its picture if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--samples", nargs="+", choices=FILES, default=list(FILES))
    parser.add_argument("--trials", type=int, default=40, help="of the strategy tpe")
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    lines = [
        "| sample | side | candidates | time | best F1, folds | chosen, folds | hold-out | ROC AUC | chosen |\n",
        "|---|---|---|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    compared = []
    for name in options.samples:
        compared.append(compare(load(name, FILES[name]), options.trials))
        more = list(rows(*compared[-1]))
        sys.stdout.writelines(more)
        sys.stdout.flush()
        lines += more
    if options.write:
        write(lines, draw(compared))


if __name__ == "__main__":
    main()
