# ruff: noqa: TID253 – a program of its own, which no module imports
"""Fit AutoGluon's default and predict: a program for the environment of its own, which has nothing of the platform.

The folder that is its argument has `job.json`, `train.parquet` and `test.parquet`; `predictions.parquet` and
`seconds.json` are written beside them.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

METRICS = {"binary": "f1", "multiclass": "f1_macro", "regression": "mean_absolute_error"}


def main(folder: Path) -> None:
    """Fit on the training rows within the time, and predict the others."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    start = time.monotonic()
    predictor = TabularPredictor(
        job["label"],
        problem_type=job["task"],
        eval_metric=METRICS[job["task"]],
        path=str(folder / "models"),
        verbosity=0,
    )
    # With F1 its default also chooses the decision threshold on its own validation rows.
    predictor.fit(train, time_limit=job["seconds"], num_cpus=job["cores"], num_gpus=0)
    seconds = time.monotonic() - start
    predictions = pd.DataFrame({"prediction": predictor.predict(test)})
    if job["task"] != "regression":
        probabilities = predictor.predict_proba(test)
        predictions = predictions.join(probabilities.set_axis([f"p{name}" for name in probabilities], axis=1))
    predictions.to_parquet(folder / "predictions.parquet")
    best = {"seconds": seconds, "model": predictor.model_best}
    (folder / "seconds.json").write_text(json.dumps(best), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
