"""Versions and aliases in MLflow's registry. On real servers."""

import json

import numpy as np
import pytest
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from ml_platform.estimators.model_parts import threshold_of
from ml_platform.evaluation.binary import Binary
from ml_platform.exceptions import RegistryError
from ml_platform.registry import model_files, registry, version_tags
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.split import split
from tests.ml_platform.promotion.champions import make_live
from tests.ml_platform.training.trainings import artifact_store, files_of, make_dataset, make_frame, make_training_set

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

LINEAR = Candidate("logistic_regression", {})


@pytest.fixture(scope="module")
def fitted():
    """A fitted model of `shop`, its training set and the rule of its hold-out."""
    training_set = make_training_set(frame=make_frame(300))
    parts = split(training_set, 3)
    return fit(LINEAR, parts, 3), training_set, parts.rule


def make_run(name: str) -> Run:
    client = mlflow_client.connect()
    return client.create_run(mlflow_client.experiment_id(client, name))


def register(name: str, fitted, run: Run | None = None, **tags: str) -> ModelVersion:
    """Register the model under a name; return the version as the server has it."""
    model, training_set, rule = fitted
    dataset: Dataset = make_dataset(name)
    required = version_tags.required_tags(Binary(("0", "1"), threshold_of(model)), rule)
    example = training_set.frame[list(dataset.features)].head(3)
    run = run or make_run(name)
    version = registry.register(run, dataset, model, example, required | {"training_set_sha256": "abc"} | tags)
    return registry.get_version(name, int(version.version))


@pytest.fixture(scope="module")
def version(mlflow_server, fitted) -> ModelVersion:
    """A version that the tests only read."""
    return register("shelf", fitted)


def test_a_version_loads_as_the_model_that_was_registered(version, fitted):
    estimator, training_set, _ = fitted
    model = registry.load(version)
    assert (model.name, model.version, model.run_id) == ("shelf", 1, version.run_id)
    assert model.task == Binary(("0", "1"), estimator.threshold)
    assert (model.dataset, model.training_set_sha256) == (make_dataset("shelf"), "abc")
    assert (model.holdout.by, model.holdout.share) == ("entity", 0.2)
    features = training_set.frame[list(model.columns)]
    np.testing.assert_allclose(model.predict(features)[0], estimator.predict_proba(features)[:, 1], atol=1e-12)


def test_a_version_records_the_digest_of_its_files_and_of_its_spec(version):
    assert len(version.tags["model_sha256"]) == 64
    assert version.tags["spec_sha256"] == make_dataset("shelf").sha256
    run = mlflow_client.connect().get_run(version.run_id)
    assert [output.model_id for output in run.outputs.model_outputs] == [version.source.removeprefix("models:/")]


def test_a_second_version_has_the_next_number(mlflow_server, fitted):
    assert [int(register("pile", fitted).version) for _ in range(2)] == [1, 2]


def test_a_version_that_does_not_exist_is_named(version):
    for name, number in (("shelf", 99), ("nobody", 1)):
        with pytest.raises(RegistryError, match=f"{name}: there is no version {number}"):
            registry.get_version(name, number)


def test_without_a_champion_scoring_fails_closed(version):
    assert registry.alias_version("nobody", "champion") is None
    assert registry.alias_version("shelf", "champion") is None
    for name in ("nobody", "shelf"):
        with pytest.raises(RegistryError, match=f"{name}: no model is live"):
            registry.load_champion(name)


def test_an_alias_points_at_one_version_and_moves(mlflow_server, fitted):
    first, second = (int(register("moving", fitted).version) for _ in range(2))
    assert "moving" not in registry.champions()
    for number in (first, second, second):
        make_live("moving", number)
        assert int(registry.alias_version("moving", "champion").version) == number
        assert registry.load_champion("moving").version == number
        assert registry.champions()["moving"] == number
    assert registry.alias_version("moving", "challenger") is None


def test_the_version_of_a_candidate_is_found_by_its_run(mlflow_server, fitted):
    run = make_run("findable")
    assert registry.version_of_run("findable", run.info.run_id, "a") is None
    numbers = [int(register("findable", fitted, run, candidate_id=one).version) for one in ("a", "b", "b")]
    found = [registry.version_of_run("findable", run.info.run_id, one) for one in ("a", "b", "c")]
    assert [one and int(one.version) for one in found] == [numbers[0], numbers[2], None]
    assert registry.version_of_run("findable", make_run("findable").info.run_id, "a") is None


def test_a_missing_model_is_created_once(mlflow_server):
    api, dataset = mlflow_client.connect(), make_dataset("created")
    for _ in range(2):
        registry.ensure_model(api, dataset)
    assert api.get_registered_model("created").description == dataset.description


def test_the_model_describes_its_data_and_links_to_its_pages(mlflow_server, monkeypatch):
    api, dataset = mlflow_client.connect(), make_dataset("described")
    monkeypatch.setenv("AIRFLOW_URL", "http://localhost:8082")
    registry.ensure_model(api, dataset)
    registry._describe_model(api, dataset)
    text = api.get_registered_model("described").description
    assert text.startswith(f"{dataset.description}\n\nPages: ")
    assert "[roll back](http://localhost:8082/dags/rollback_described)" in text
    registry._describe_model(api, dataset.model_copy(update={"description": "Other words."}))
    assert api.get_registered_model("described").description.startswith("Other words.\n\n")
    api.update_registered_model("described", "my own words")
    registry._describe_model(api, dataset)
    assert api.get_registered_model("described").description == "my own words"


def test_deleted_files_are_reported_and_not_looked_for_elsewhere(mlflow_server, fitted):
    broken = register("deleted", fitted)
    for key in files_of(broken):
        artifact_store().delete_object(Bucket="mlflow", Key=key)
    make_live("deleted", int(broken.version))
    with pytest.raises(RegistryError, match="deleted version 1: the model's files are not in the artifact store"):
        registry.load_champion("deleted")


def test_changed_files_are_rejected(mlflow_server, fitted):
    broken = register("changed", fitted)
    (key,) = (key for key in files_of(broken) if key.endswith("dataset.json"))
    artifact_store().put_object(Bucket="mlflow", Key=key, Body=b"{}")
    with pytest.raises(RegistryError, match="changed version 1: the model's files have digest"):
        registry.load(broken)


@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        ("threshold", "0.123", "the tag 'threshold'"),
        ("classes", json.dumps(["a", "b", "c"]), "the classes of the model are not the 3 of the tag 'classes'"),
        ("model_sha256", "0" * 64, "recorded at training was 0000"),
        ("holdout_by", "luck", "the tag 'holdout_by'"),
    ],
)
def test_edited_tags_are_rejected(mlflow_server, fitted, tag, value, text):
    edited = register("edited", fitted)
    mlflow_client.connect().set_model_version_tag("edited", edited.version, tag, value)
    there = registry.get_version("edited", int(edited.version))
    with pytest.raises(RegistryError, match=f"edited version {edited.version}: the tag '{tag}' is .*was recorded"):
        registry.load(there)
    with pytest.raises(RegistryError, match=f"edited version {edited.version}: .*{text}"):
        registry.load_copy(there)  # without a record, the files still tell


def forge(name: str, fitted) -> ModelVersion:
    """Register another model with a digest that fits, as anybody with a login of MLflow can, without the platform."""
    api, own = mlflow_client.connect(), register(name, fitted)
    model_id = own.source.removeprefix("models:/")
    return api.create_model_version(name, own.source, own.run_id, tags=own.tags, model_id=model_id)


def test_a_version_that_the_platform_did_not_register_is_refused(mlflow_server, fitted):
    forged = forge("forged", fitted)
    for load in (registry.load, registry.load_live):
        with pytest.raises(RegistryError, match=f"forged version {forged.version}: no training .* has recorded it"):
            load(forged)


def test_files_and_digest_that_were_changed_together_are_refused(mlflow_server, fitted):
    changed = register("together", fitted)
    make_live("together", int(changed.version))
    (key,) = (key for key in files_of(changed) if key.endswith("MLmodel"))
    body = artifact_store().get_object(Bucket="mlflow", Key=key)["Body"].read()
    artifact_store().put_object(Bucket="mlflow", Key=key, Body=body + b"\n")
    with registry.download(changed) as folder:
        sha256 = model_files.digest(folder)
    mlflow_client.connect().set_model_version_tag("together", changed.version, "model_sha256", sha256)
    assert registry.load_copy(registry.get_version("together", 1)).version == 1  # by itself it looks sound
    with pytest.raises(RegistryError, match="together version 1: the tag 'model_sha256' is"):
        registry.load_champion("together")


def test_an_alias_that_was_moved_by_hand_is_followed_only_to_what_was_live_before(mlflow_server, fitted):
    first, second, never = (int(register("by_hand", fitted).version) for _ in range(3))
    with pytest.raises(RegistryError, match="no model is live"):
        registry.load_champion("by_hand")
    registry.set_alias("by_hand", registry.CHAMPION, never)
    assert registry.live_version("by_hand") is None
    with pytest.raises(RegistryError, match="the platform never made it live; the gate decided nothing about it"):
        registry.load_champion("by_hand")
    make_live("by_hand", first)
    make_live("by_hand", second)
    registry.set_alias("by_hand", registry.CHAMPION, never)
    model = registry.load_champion("by_hand")
    assert (model.version, int(registry.live_version("by_hand").version)) == (second, second)
    assert f"by_hand version {never}: the platform never made it live" in model.problem
    registry.set_alias("by_hand", registry.CHAMPION, first)
    model = registry.load_champion("by_hand")
    assert (model.version, model.problem) == (first, None)
    registry.set_alias("by_hand", registry.CHAMPION, never)
    mlflow_client.connect().delete_model_version("by_hand", str(second))
    assert registry.live_version("by_hand") is None


def test_the_folder_of_a_download_is_removed(version):
    with registry.download(version) as folder:
        assert {"MLmodel", "model.skops", "dataset.json"} <= {path.name for path in folder.iterdir()}
    assert not folder.exists()
