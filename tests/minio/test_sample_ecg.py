"""The heartbeats are what the generator makes, look like heartbeats, and are as hard to classify as they should be."""

import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_platform.parsing.batches import read_batches
from ml_platform.specs.catalog import dataset
from ml_platform.training.candidates import candidates
from ml_platform.training.search import evaluate
from ml_platform.training.split import Split, split
from ml_platform.training.training_set import TrainingSet, model_input

MINIO = Path(__file__).resolve().parents[2] / "minio"
FILES = ("train_ecg.csv.gz", "test_ecg.csv.gz")
SIGNAL = [f"mv_{i:03d}" for i in range(140)]
R, P = "mv_050", SIGNAL[10:40]  # the peak of the R wave, and where the P wave is
FACTS = ["patient", "beat_time", "age", "sex", "rr_previous", "rr_next", "rr_mean"]
SHARES = {"normal": 0.70, "ventricular": 0.12, "supraventricular": 0.08, "fusion": 0.05, "paced": 0.05}


def generate(out: Path, *arguments: str) -> Path:
    """Run the generator as people do."""
    subprocess.run([sys.executable, MINIO / "generate_samples.py", "ecg", "--out", out, *arguments], check=True)
    return out


@pytest.fixture(scope="module")
def beats() -> dict[str, pd.DataFrame]:
    return {name.partition("_")[0]: pd.read_csv(MINIO / "samples" / name, parse_dates=["beat_time"]) for name in FILES}


@pytest.fixture(scope="module")
def train(beats) -> pd.DataFrame:
    return beats["train"]


@pytest.mark.prove  # the generator of the other samples is run in the gate
def test_the_committed_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    generate(tmp_path)
    for name in FILES:  # what is packed, not the packing: that differs between builds of zlib
        made, committed = (gzip.decompress((folder / name).read_bytes()) for folder in (tmp_path, MINIO / "samples"))
        assert made == committed


@pytest.mark.prove
def test_another_seed_makes_other_beats_that_look_alike(tmp_path: Path, train) -> None:
    other = pd.read_csv(generate(tmp_path, "--seed", "7") / FILES[0])
    assert list(other) == list(train)
    assert len(other) == len(train)
    assert not np.allclose(other[R], train[R])
    assert other[R].mean() == pytest.approx(train[R].mean(), abs=0.2)


def test_columns_and_rows(beats) -> None:
    assert list(beats["train"]) == [*FACTS, "kind", *SIGNAL]
    assert list(beats["test"]) == [*FACTS, *SIGNAL]
    assert {part: rows.shape[0] for part, rows in beats.items()} == {"train": 4800, "test": 1200}


def test_no_patient_is_in_both_files_and_no_beat_occurs_twice(beats) -> None:
    patients = {part: set(rows["patient"]) for part, rows in beats.items()}
    assert (len(patients["train"]), len(patients["test"])) == (160, 40)
    assert not patients["train"] & patients["test"]
    assert not pd.concat(beats).duplicated(["patient", "beat_time"]).any()


def test_the_kinds_are_as_rare_as_the_document_says(train) -> None:
    shares = train["kind"].value_counts(normalize=True)
    assert set(shares.index) == set(SHARES)
    for kind, share in SHARES.items():
        assert shares[kind] == pytest.approx(share, abs=0.01)
    assert (train.groupby("patient")["kind"].nunique() > 1).mean() > 0.9


def test_intervals_are_the_times_between_beats(train) -> None:
    for _, rows in train.groupby("patient"):
        seconds = rows["beat_time"].diff().dt.total_seconds()
        np.testing.assert_allclose(rows["rr_previous"].iloc[1:], 1000 * seconds.iloc[1:], atol=1.5)
        np.testing.assert_array_equal(rows["rr_next"].iloc[:-1], rows["rr_previous"].iloc[1:])
        np.testing.assert_allclose(rows["rr_mean"], rows["rr_previous"].rolling(10, min_periods=1).mean(), atol=0.5)
        assert rows["rr_previous"].isna().tolist() == [True] + [False] * 29
        assert rows["rr_next"].isna().tolist() == [False] * 29 + [True]


def test_some_samples_are_missing_in_a_row_and_some_ages(train) -> None:
    missing = train[SIGNAL].isna()
    assert 0.02 < missing.any(axis=1).mean() < 0.04
    starts = (missing & ~missing.shift(axis=1, fill_value=False)).sum(axis=1)
    assert set(starts) == {0, 1}
    assert 0 < train["age"].isna().mean() < 0.1


def test_a_heart_beats_at_a_rate_of_this_world(train) -> None:
    normal = train[train["kind"] == "normal"]
    rates = 60_000 / normal.groupby("patient")["rr_mean"].median()
    assert rates.between(40, 130).all()
    assert rates.mean() == pytest.approx(74, abs=4)


def test_the_waves_are_where_a_cardiologist_looks_for_them(train) -> None:
    """On average: R is the highest sample of a normal beat, a P wave comes before it, and T after it."""
    mean = train.groupby("kind")[SIGNAL].mean()
    normal = mean.loc["normal"]
    assert abs(int(normal.argmax()) - 50) <= 1
    assert normal[P].max() - normal[SIGNAL[0]] > 0.05
    assert normal[SIGNAL[75:120]].max() - normal[SIGNAL[139]] > 0.15
    assert mean.loc["ventricular"][P].std() < 0.5 * normal[P].std()  # there is no P wave
    assert mean.loc["ventricular"][SIGNAL[85:125]].mean() < normal[SIGNAL[85:125]].mean() - 0.2  # T points down


def test_beats_from_outside_of_the_sinus_node_come_early(train) -> None:
    early = (train["rr_previous"] / train["rr_mean"]).groupby(train["kind"]).median()
    late = (train["rr_next"] / train["rr_mean"]).groupby(train["kind"]).median()
    assert early["supraventricular"] < 0.9
    assert early["ventricular"] < 0.9
    assert early["normal"] == pytest.approx(1, abs=0.03)
    assert late["ventricular"] > 1.1  # the pause that makes up for it


@pytest.fixture(scope="module")
def parts() -> Split:
    """The split of the training file by the spec in datasets/, as a training would make it."""
    spec = dataset("ecg")
    with (MINIO / "samples" / FILES[0]).open("rb") as file:
        batches = list(read_batches(file, spec, "train", FILES[0]))
    rows = pa.Table.from_batches([batch.rows for batch in batches]).to_pandas()
    assert len(rows) == 4800
    classes = tuple(map(str, spec.label.classes))
    indices = rows["kind"].map({name: index for index, name in enumerate(classes)})
    frame = model_input(spec, rows).assign(
        patient=rows["patient"], event_timestamp=rows["beat_time"], kind=indices.astype("int64")
    )
    return split(TrainingSet(spec, frame, classes, sha256="", uri="", sources=[]), spec.search.folds)


def test_whole_patients_are_held_out_and_stay_in_one_fold(parts) -> None:
    held_out, trained_on = parts.ids[parts.in_holdout], parts.ids[~parts.in_holdout]
    assert not set(held_out) & set(trained_on)
    assert 20 <= held_out.nunique() <= 50
    for others, own in parts.folds(5):
        assert not set(trained_on.iloc[others]) & set(trained_on.iloc[own])


@pytest.mark.prove
def test_a_new_heart_is_neither_trivial_nor_hopeless(parts) -> None:
    first = next(one for one in candidates(parts.dataset) if one.estimator == "snapshot_ensemble")
    candidate = replace(first, params=first.params | {"epochs": 40})
    result = evaluate(candidate, parts.dataset, parts.task, *parts.train(), parts.folds(5))
    assert result.error is None
    assert 0.85 < result.means["f1"] < 0.95
    assert min(result.folds["f1"]) > 0.75
