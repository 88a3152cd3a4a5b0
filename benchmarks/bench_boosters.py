# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare the default grid with grids of xgboost and of lightgbm, on the samples, on rows that none of them has seen.

Each searches, chooses, calibrates and fits as a training does, on the same rows, folds and hold-outs, in one run.
Flights are taken without the weather.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.bench_model_quality import FOLDS, JOBS, PAGE, ROOT, Fitted, Outcome, measure
from ml_platform.parsing.batches import read_batches
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Search
from ml_platform.training.candidates import candidates
from ml_platform.training.choice import choose
from ml_platform.training.fitting import fit
from ml_platform.training.search import search
from ml_platform.training.split import Split, split
from ml_platform.training.training_set import TrainingSet, model_input

BEGIN, END = "<!-- written by: make bench args=boosters -->\n", "<!-- end of boosters -->"
SAMPLES = ("auto", "penguins", "flights")
GRIDS = {
    "default grid": Search(),
    "xgboost": Search(candidates={"xgboost": {"class_weight": [None, "balanced"], "max_depth": [3, 6]}}),
    "lightgbm": Search(candidates={"lightgbm": {"class_weight": [None, "balanced"], "num_leaves": [7, 31]}}),
}
METRICS = ("f1", "roc_auc", "brier")


def run(grid: Search, parts: Split) -> Fitted:
    """Search a grid, choose, calibrate and fit as a training does."""
    dataset = parts.dataset.model_copy(update={"search": grid})
    every = candidates(dataset)
    results = list(search(every, dataset, parts.task, *parts.train(), folds=parts.folds(FOLDS), jobs=JOBS))
    chosen = choose(results, every, "f1")
    if chosen is None:
        raise SystemExit(f"no candidate could be fitted: {results[0].error}")
    return chosen.candidate, fit(chosen.candidate, parts, FOLDS, JOBS)


def sample(name: str) -> TrainingSet:
    """Return a sample as a training set, without features of other tables; other entities are held out each time."""
    spec = dataset(name).model_copy(update={"features_from": (), "tables": ()})
    spec = spec.model_copy(update={"gate": spec.gate.model_copy(update={"holdout_by": "entity"})})
    path = next((ROOT / "minio" / "samples").glob(f"train_{name}.csv*"))
    with path.open("rb") as file:
        rows = pa.Table.from_batches([batch.rows for batch in read_batches(file, spec, "train", path.name)]).to_pandas()
    texts = rows[spec.label.column].astype(str)
    classes = tuple(
        map(str, spec.label.classes or sorted(set(texts), key=lambda text: text == str(spec.label.positive)))
    )
    frame = model_input(spec, rows).assign(**{key: rows[key] for key in spec.keys})
    labels = texts.map({text: index for index, text in enumerate(classes)})
    times = rows[spec.event_time] if spec.event_time else pd.Timestamp("2026-01-01", tz="UTC")
    frame = frame.assign(event_timestamp=times, **{spec.label.column: labels})
    return TrainingSet(spec, frame, classes, sha256="", uri="", sources=[])


def compare(training_set: TrainingSet, splits: int) -> list[str]:
    """Run all grids on several splits; return the lines of a table in Markdown."""
    name, found = training_set.dataset.name, {grid: list[Outcome]() for grid in GRIDS}
    for number in range(splits):
        spec = training_set.dataset.model_copy(update={"name": f"{name}_{number}"})  # it decides who is held out
        parts = split(TrainingSet(spec, training_set.frame, training_set.classes, "", "", []), FOLDS)
        for grid, settings in GRIDS.items():
            found[grid].append(measure(partial(run, settings), parts))
    return [_line(name, grid, outcomes, found["default grid"]) for grid, outcomes in found.items()]


def _line(name: str, grid: str, outcomes: list[Outcome], base: list[Outcome]) -> str:
    cells = " | ".join(f"{np.mean([outcome.metrics[metric] for outcome in outcomes]):.3f}" for metric in METRICS)
    gains = np.array([one.metrics["f1"] - other.metrics["f1"] for one, other in zip(outcomes, base, strict=True)])
    error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
    gain = "" if outcomes is base else f"{gains.mean():+.3f} ± {error:.3f}"
    seconds, before = (sum(outcome.seconds for outcome in some) for some in (outcomes, base))
    names = [outcome.candidate.estimator for outcome in outcomes]
    chosen = ", ".join(f"{names.count(one)} {one}" for one in dict.fromkeys(names))
    return f"| {name} | {grid} | {cells} | {gain} | × {seconds / before:.2f} | {chosen} |\n"


def write(lines: list[str], splits: int, started: float) -> None:
    """Replace the table in the documents."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    note = f"{splits} hold-outs per sample; all of it took {(time.time() - started) / 60:.0f} minutes."
    PAGE.write_text(f"{before}{BEGIN}\n{''.join(lines)}\n{note}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Compare on the samples."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=3, help="hold-outs per sample")
    parser.add_argument("--sample", choices=SAMPLES, action="append", help="of these only")
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.relative_to(Path(ROOT))}")
    options, started = parser.parse_args(), time.time()
    lines = [
        "| sample | grid | F1 | ROC AUC | Brier | gain in F1 | time | chosen |\n",
        "|---|---|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    for name in options.sample or SAMPLES:
        more = compare(sample(name), options.splits)
        sys.stdout.writelines(more)
        sys.stdout.flush()
        lines += more
    if options.write:
        write(lines, options.splits, started)


if __name__ == "__main__":
    main()
