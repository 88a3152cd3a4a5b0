# ruff: noqa: TID253 – a program of its own, which no module imports
"""Measure the gain from features of another table: the sample `flights` without and with the weather at departure.

`make bench` runs it, with the servers up. Rows, folds, hold-out and grid are always the same. The last line keeps the
arrival delay as a feature, which is known only with the label: it shows what a leak looks like, and that it is found.
"""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from ml_platform.evaluation.holdout_report import outputs_of
from ml_platform.ingestion import uploads
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage import database, object_store
from ml_platform.training import build_training_set, training_set
from ml_platform.training.candidates import candidates
from ml_platform.training.fitting import fit
from ml_platform.training.leakage import suspected_leaks
from ml_platform.training.search import rank, search
from ml_platform.training.split import split
from ml_platform.training.training_set import TrainingSet

SAMPLES = Path(__file__).resolve().parents[1] / "minio" / "samples"
LEAK = "arr_delay"


def load_sample() -> TrainingSet:
    """Load the sample as its DAGs do, and freeze its training set."""
    flights = dataset("flights")
    for table, file in ((flights.tables[0], "weather.csv.gz"), (flights, "train_flights.csv.gz")):
        object_store.client().put_object(Bucket="train", Key=file, Body=(SAMPLES / file).read_bytes())
        uploads.ingest(table, file)
    return training_set.load(flights, build_training_set.freeze(flights))


def without_weather(whole: TrainingSet) -> TrainingSet:
    """Return the training set without the joined features."""
    own: Dataset = whole.dataset.model_copy(update={"features_from": (), "tables": ()})
    joined = [name for name in whole.dataset.features if name not in own.features]
    return replace(whole, dataset=own, frame=whole.frame.drop(columns=joined))


def with_leak(whole: TrainingSet) -> TrainingSet:
    """Return the training set with one more feature, which is known only with the label."""
    flights = whole.dataset
    spec: Dataset = flights.model_copy(update={"leaks": tuple(name for name in flights.leaks if name != LEAK)})
    keys = ", ".join(map(database.identifier, flights.keys))
    rows = database.fetch(f"SELECT {keys}, event_timestamp, {LEAK} FROM labels.flights")  # noqa: S608 – quoted names
    delays = pd.DataFrame(rows, columns=[*flights.keys, "event_timestamp", LEAK])
    return replace(whole, dataset=spec, frame=whole.frame.merge(delays, on=[*flights.keys, "event_timestamp"]))


def evaluate(name: str, data: TrainingSet) -> Iterator[str]:
    """Yield one line per estimator: F1 in cross-validation, F1 and ROC AUC on the hold-out, suspected leaks."""
    dataset, folds = data.dataset, data.dataset.search.folds
    parts = split(data, folds)
    leaks = ", ".join(suspected_leaks(*parts.train())) or "none"
    options = dataset.search
    results = list(
        search(candidates(dataset), dataset, parts.task, *parts.train(), folds=parts.folds(folds), jobs=options.jobs)
    )
    for estimator in dataset.search.candidates:
        best, *_ = rank([one for one in results if one.candidate.estimator == estimator], "f1")
        model = fit(best.candidate, parts, folds, jobs=dataset.search.jobs)
        features, labels = parts.test()
        task = parts.task.as_fitted(model)
        metrics = task.metrics(labels, outputs_of(task, model, features))
        yield (
            f"| {name} | {estimator} | {len(dataset.features)} | {best.means['f1']:.3f} | {metrics['f1']:.3f} | "
            f"{metrics['roc_auc']:.3f} | {leaks} |\n"
        )


def main() -> None:
    """Search three times and print a table."""
    logging.disable(logging.WARNING)
    whole = load_sample()
    sys.stdout.write(
        "| features | estimator | number | F1, folds | F1, hold-out | ROC AUC | suspected leaks |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    for name, data in (
        ("own columns", without_weather(whole)),
        ("and the weather as of departure", whole),
        (f"and {LEAK}, from the future", with_leak(whole)),
    ):
        sys.stdout.writelines(evaluate(name, data))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
