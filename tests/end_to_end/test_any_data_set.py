"""Any data set: a file becomes a draft, the draft a pipeline, without a restart and without a line of code.

The samples go the whole way by specs that `ml-platform dataset draft` wrote: two classes, three with the labels in a
file of their own, and a number to predict in a file without a key. The weather comes from a bucket of others. The tests
build on each other, in the order of the file.
"""

import csv
import gzip
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.end_to_end.conftest import TRAINING, all_succeeded, eventually

pytestmark = [pytest.mark.servers, pytest.mark.end_to_end]

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "minio" / "samples"
TRAIN = {
    "planes": "train_flights.csv.gz", "birds": "train_penguins.csv", "weights": "train_penguin_mass.csv",
}  # fmt: skip
TEST = {name: file.replace("train", "test") for name, file in TRAIN.items()}
ROWS = {"planes": (20_000, 4000), "birds": (224, 120), "weights": (223, 120)}
SPECIES = {
    "Adelie Penguin (Pygoscelis adeliae)",
    "Chinstrap penguin (Pygoscelis antarctica)",
    "Gentoo penguin (Pygoscelis papua)",
}
PARTNER = "partner"  # a bucket of others, from which the weather comes
LABELS = {"weights": ["--label", "Body Mass (g)"]}  # without it the draft takes the species
# What a person who read the drafts would write: what else is known only afterwards, and where the weather comes from.
EDITS = {
    "planes": (
        "leaks: [arr_delay]",
        "leaks: [arr_delay, dep_time, dep_delay, arr_time, air_time]\n"
        "features_from: [{table: sky, on: {origin: origin}}]\n"
        "search: {folds: 3, candidates: {hist_gradient_boosting: {class_weight: [balanced], max_iter: [50]}}}",
    ),
    "birds": (
        "label:",
        "search: {folds: 3, candidates: {logistic_regression: {}}}\nlabel:\n  late: true",
    ),
    "weights": (
        "entity: {name: row}",
        "entity: {name: row}\nmissing: [NA]\nsearch: {folds: 3, candidates: {ridge: {}}}",
    ),
}


def sent(file: str) -> list[dict[str, str]]:
    content = (SAMPLES / file).read_bytes()
    text = gzip.decompress(content) if file.endswith(".gz") else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def ml_platform(*arguments: str) -> str:
    done = subprocess.run([ROOT / "ml-platform", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def report(buckets) -> Callable[..., dict]:
    """Wait until a dropped file has left the inbox; return its report."""

    def wait(bucket: str, key: str, folder: str = "processed") -> dict:
        stem = key.partition(".")[0]

        def found() -> str | None:
            reports = [k for k in buckets.keys(bucket, f"{folder}/{stem}.") if k.endswith(".report.json")]
            return None if key in buckets.keys(bucket) else max(reports, default=None)

        return json.loads(buckets.get(bucket, eventually(found, f"{bucket}/{key} is settled to {folder}/")))

    return wait


@pytest.fixture(scope="module")
def partner(stack, airflow) -> Iterator[Any]:
    """A bucket of others, which is a source, and a client of it."""
    login, password = stack.s3_admin_access_key, stack.s3_admin_secret_key.get_secret_value()
    client = boto3.client(
        "s3",
        endpoint_url=stack.s3_url,
        aws_access_key_id=login,
        aws_secret_access_key=password,
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=PARTNER)
    airflow.add_connection(PARTNER, "aws", login, password, {"endpoint_url": stack.s3_url})
    yield client
    client.close()


@pytest.fixture(scope="module")
def drafted(stack) -> Path:
    """The folder of the data sets, with a draft for each sample, edited as a person would."""
    folder = stack.datasets_dir
    ml_platform("dataset", "draft", str(SAMPLES / "weather.csv.gz"), "sky", "--table", "--out", str(folder))
    with (folder / "sky.yaml").open("a", encoding="utf-8") as spec:
        spec.write(f"\nsource: {{kind: s3, connection: {PARTNER}, bucket: {PARTNER}, prefix: exports/, every: 2s}}\n")
    for name in EDITS:
        asked = LABELS.get(name, [])
        said = ml_platform("dataset", "draft", str(SAMPLES / TRAIN[name]), name, "--out", str(folder), *asked)
        assert "Look at" in said
        path, (old, new) = folder / f"{name}.yaml", EDITS[name]
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_pipelines_appear_without_a_restart(airflow, drafted) -> None:
    wanted = {f"{verb}_{name}" for verb in ("ingest", "train", "test") for name in TRAIN}
    wanted |= {"ingest_sky", "pull_sky"}
    eventually(lambda: wanted <= set(airflow.dags()), "Airflow knows the new DAGs")
    assert airflow.import_errors() == []
    for dag_id in wanted:
        airflow.unpause(dag_id)


@pytest.fixture(scope="module")
def broken(drafted) -> Path:
    """A broken file beside the others while they are loaded and trained on, which it must not hold up."""
    path = drafted / "ships.yaml"
    path.write_text("name: ships\ndescription: ''\nlabel: {column: sunk}\n", encoding="utf-8")
    return path


def without_species() -> tuple[bytes, bytes]:
    """Return the rows of the penguins without their species, and the species in a file of labels alone."""
    rows = sent(TRAIN["birds"])
    names = [name for name in rows[0] if name != "Species"]
    files = []
    for columns in (names, ["Individual ID", "Date Egg", "Species"]):
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        files.append(text.getvalue().encode())
    return files[0], files[1]


def test_labels_that_come_before_their_features_wait_for_them(airflow, buckets, report, broken) -> None:
    buckets.put("train", "labels/birds.csv", without_species()[1])
    found = report("train", "labels/birds.csv")
    assert found["rows_loaded"] == ROWS["birds"][0]
    assert found["warnings"][0].startswith("224 labels wait for features: no row with the same Individual ID")


def test_every_sample_is_loaded_whole(buckets, report, broken, partner, query) -> None:
    partner.put_object(Bucket=PARTNER, Key="exports/sky.csv.gz", Body=(SAMPLES / "weather.csv.gz").read_bytes())
    loaded = "SELECT rows_loaded FROM uploads.ledger WHERE dataset = 'sky'"
    assert eventually(lambda: query(loaded), "what is in the bucket of others is loaded") == [(26_115,)]
    for name, file in TRAIN.items():
        body = without_species()[0] if name == "birds" else (SAMPLES / file).read_bytes()
        buckets.put("train", file.replace(file.partition(".")[0], f"train_{name}"), body)
    for name, file in TRAIN.items():
        found = report("train", file.replace(file.partition(".")[0], f"train_{name}"))
        rows = ROWS[name][0]
        assert (found["rows_read"], found["rows_loaded"], found["rows_rejected"]) == (rows, rows, 0)
    assert "gzip" in report("train", "train_planes.csv.gz")["format"]


@pytest.fixture(scope="module")
def champions(airflow, mlflow) -> dict[str, object]:
    for name in TRAIN:
        succeeded = partial(all_succeeded, airflow, f"train_{name}")
        eventually(succeeded, f"train_{name}, started by the new rows, succeeds", TRAINING)
    return {name: mlflow.get_model_version_by_alias(name, "champion") for name in TRAIN}


def test_every_sample_has_a_champion_that_learned_something(champions) -> None:
    metrics = {name: json.loads(version.tags["holdout_metrics"]) for name, version in champions.items()}
    assert 0.48 < metrics["planes"]["f1"] < 0.65
    assert metrics["birds"]["f1"] > 0.95
    assert metrics["weights"]["r2"] > 0.7
    assert 0.75 < metrics["weights"]["coverage"] <= 1


def test_every_champion_has_a_model_card(champions, mlflow) -> None:
    for version in champions.values():
        assert "model_card.html" in version.description
        assert "model_card.html" in {item.path for item in mlflow.list_artifacts(version.run_id)}


def test_a_broken_file_is_named_in_airflow(airflow, broken) -> None:
    (error,) = eventually(airflow.import_errors, "Airflow shows what is wrong")
    for part in ("ships.yaml", "label", "positive", "classes"):
        assert part in error
    assert {"ingest_birds", "ingest_auto"} <= set(airflow.dags())
    broken.unlink()


def test_what_the_models_see_is_known_to_feast(champions) -> None:
    from ml_platform.feature_store import features

    services = {service.name: service for service in features.store().list_feature_services()}
    views = {view.name: {f.name for f in view.features} for view in services["planes"].feature_view_projections}
    assert set(views) == {"planes", "sky"}
    assert {"temp", "visib"} <= views["sky"]
    assert not {"arr_delay", "dep_delay", "late"} & views["planes"]


@pytest.fixture(scope="module")
def results(buckets, report, champions) -> dict[str, list[dict[str, str]]]:
    found = {}
    for name, file in TEST.items():
        key = file.replace(file.partition(".")[0], f"test_{name}")
        buckets.put("test", key, (SAMPLES / file).read_bytes())
        settled = report("test", key)
        rows = ROWS[name][1]
        assert (settled["outcome"], settled["rows_read"], settled["rows_rejected"]) == ("scored", rows, 0)
        found[name] = list(csv.DictReader(io.StringIO(buckets.get("result", settled["result_key"]).decode())))
    return found


def test_every_row_is_predicted_once_in_the_order_of_the_file(results, champions) -> None:
    keys = {"planes": "tailnum", "birds": "Individual ID"}
    assert [row["row"] for row in results["weights"]] == [str(number) for number in range(1, ROWS["weights"][1] + 1)]
    for name, key in keys.items():
        assert [row[key] for row in results[name]] == [row[key] for row in sent(TEST[name])]
    for name in TEST:
        assert {row["model_version"] for row in results[name]} == {champions[name].version}


def test_predictions_are_the_labels_own_values(results) -> None:
    assert {row["prediction"] for row in results["planes"]} == {"no", "yes"}
    for row in results["planes"]:
        assert (row["prediction"] == "yes") == (float(row["probability"]) >= float(row["threshold"]))
    assert {row["prediction"] for row in results["birds"]} == SPECIES
    for row in results["birds"]:
        each = {name: float(row[f"probability_{name}"]) for name in SPECIES}
        assert abs(sum(each.values()) - 1) < 1e-9
        assert float(row["probability"]) == max(each.values()) == each[row["prediction"]]


def test_a_number_is_predicted_with_its_interval(results) -> None:
    for row in results["weights"]:
        assert 2000 < float(row["low"]) < float(row["prediction"]) < float(row["high"]) < 8000
        assert row["coverage"] == "0.9"
    header, *rows = csv.reader((SAMPLES / "train_penguin_mass.csv").read_text(encoding="utf-8").splitlines())
    trained = [float(row[header.index("Body Mass (g)")]) for row in rows]
    mean = sum(float(row["prediction"]) for row in results["weights"]) / len(results["weights"])
    assert abs(mean - sum(trained) / len(trained)) < 300


def test_the_model_goes_on_with_the_spec_that_it_was_trained_with(airflow, buckets, report, drafted, champions) -> None:
    """A column that came later is neither asked of the files that an older model scores, nor does it disturb them."""
    airflow.pause("train_birds")
    path = drafted / "birds.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\ncolumns:\n", "\ncolumns:\n  ringed: boolean\n", 1), encoding="utf-8")
    rows = sent(TRAIN["birds"])[:5]
    for i, row in enumerate(rows):
        row |= {"ringed": "yes", "Individual ID": f"new {i}"}
    for bucket in ("train", "test"):
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        buckets.put(bucket, f"{bucket}_birds_ringed.csv", out.getvalue().encode())
    assert report("train", "train_birds_ringed.csv")["rows_loaded"] == 5
    assert report("test", "test_birds_ringed.csv")["outcome"] == "scored"
    buckets.put("test", "test_birds_plain.csv", (SAMPLES / TEST["birds"]).read_bytes())
    assert report("test", "test_birds_plain.csv")["outcome"] == "scored"


def test_a_changed_spec_is_on_record_and_older_rows_lack_the_new_column(query, drafted) -> None:
    found = query("SELECT version, changes FROM uploads.specs WHERE name = 'birds' ORDER BY version")
    assert found == [(1, ""), (2, "columns.ringed is new; rows loaded before lack it")]
    assert query("SELECT count(*), count(ringed) FROM features.birds") == [(229, 5)]


def test_the_error_of_a_broken_file_goes_with_its_cause(airflow, broken) -> None:
    eventually(lambda: not airflow.import_errors(), "the error is gone")
