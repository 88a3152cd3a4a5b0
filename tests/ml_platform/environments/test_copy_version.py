"""Copies in another registry, on two real MLflow servers: files, run, tags, and their check."""

import io
from dataclasses import replace

import pytest
from pydantic import SecretStr

from ml_platform.environments.copy_version import check, copy
from ml_platform.environments.environment import Environment
from ml_platform.environments.go_live import go_live
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import model_files, registry
from ml_platform.settings import settings
from ml_platform.storage import mlflow_client, object_store
from ml_platform.training import search_progress, steps, tracking, training_set
from tests.ml_platform.environments.copies import REQUEST, aliases, overwrite, promotions, register, runs, versions
from tests.ml_platform.promotion.champions import killed_at
from tests.ml_platform.training.trainings import (
    ONE,
    essentials,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
    searched_with,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def frozen(dataset, frame):
    """Store a training set where `build_training_set` would."""
    made, sha256 = make_training_set(dataset, frame), training_set.content_hash(frame)
    key = f"training_sets/{dataset.name}/{sha256}.parquet"
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    object_store.put_new("mlflow", key, buffer.getvalue())
    return replace(made, sha256=sha256, uri=f"s3://mlflow/{key}")


def files(version):
    with registry.download(version) as folder:
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_run_and_tags_are_copied_as_they_are(production, two_copies):
    (copied, _), _ = two_copies
    source = registry.get_version("copy_version", copied.version)
    run, content = mlflow_client.connect().get_run(source.run_id), files(source)
    answers = registry.load(source).predict(make_frame())[0].tobytes()
    with production.use():
        there = registry.get_version("copy_version", copied.target_version)
        run_there = mlflow_client.connect().get_run(there.run_id)
        assert files(there) == content
        assert registry.load_copy(there).predict(make_frame())[0].tobytes() == answers
        assert not search_progress.newest_search(
            "copy_version"
        )  # the run is no search: a training there does not continue it
    own = ("decision", "model_card")
    assert there.tags.items() >= {tag: text for tag, text in source.tags.items() if tag not in own}.items()
    assert there.tags["source_decision"] == "promoted"  # of the gate here, against the champion here
    assert (run_there.data.metrics, run_there.data.params) == (run.data.metrics, run.data.params)
    assert (run_there.info.status, run_there.info.start_time) == ("FINISHED", run.info.start_time)
    assert run_there.inputs.dataset_inputs[0].dataset.digest == source.tags["training_set_sha256"][:36]
    for tag in ("training_set_sha256", "mlflow.source.git.commit", "packages", "sources"):
        assert run_there.data.tags[tag] == run.data.tags[tag]
    for tags in (run_there.data.tags, there.tags):
        assert (tags["source_run_id"], tags["source_version"]) == (run.info.run_id, source.version)
        assert tags["source_registry"] == settings().mlflow_url
    assert not {"search_id", "reason", "training_set_uri"} & set(run_there.data.tags)


def test_the_copy_has_the_model_card_and_leads_to_its_own(production, two_copies):
    (copied, _), _ = two_copies
    here = registry.get_version("copy_version", copied.version)
    with production.use():
        there = registry.get_version("copy_version", copied.target_version)
        assert tracking.read_model_card(there.run_id) == {
            "model_card.html": "<p>copy_version</p>", "model_card.md": "# copy_version"
        }  # fmt: skip
        run = mlflow_client.connect().get_run(there.run_id)
    assert there.tags["model_card"] == tracking.model_card_page(run) != here.tags["model_card"]
    assert there.description == f"[Model card](#/{there.tags['model_card']})"


def test_a_version_from_before_there_were_cards_is_copied_without_one(production):
    register("cardless", model_card=False)
    copied = copy("cardless", production)
    with production.use():
        there = registry.get_version("cardless", copied.target_version)
    assert ("model_card" in there.tags, there.description) == (False, "")


def test_copying_again_returns_the_existing_copy(production, two_copies):
    (first, second), _ = two_copies
    assert copy("copy_version", production, 1) == first
    assert copy("copy_version", production) == second
    with production.use():
        assert (versions("copy_version"), len(runs("copy_version"))) == ([1, 2], 2)


def test_the_check_compares_the_predictions_on_the_holdout(production):
    dataset, frame = make_weeks("fair", ONE), make_weeks_frame()
    data = frozen(dataset, frame)
    with essentials():
        copied = copy("fair", production, steps.refit(data, searched_with(data)).version)
    rows = int(mlflow_client.connect().get_run(copied.run_id).data.params["rows_holdout"])
    assert check(production, copied) == rows > 100


@pytest.fixture(scope="module")
def damaged(production):
    register("tampered")
    return copy("tampered", production)


@pytest.mark.usefixtures("smoke_test_here")
def test_files_that_were_changed_there_do_not_go_live(mlflow_server, production, damaged):
    assert check(production, damaged) == 3  # it has no training set: the rows of its example
    overwrite(mlflow_server, production, damaged, model_files.SPEC_FILE, b"{}")
    for step in (lambda: check(production, damaged), lambda: go_live(production, damaged, REQUEST)):
        with pytest.raises(
            RegistryError, match=r"tampered version 1, in production version 1, does not go live.*digest"
        ):
            step()
    assert promotions("tampered") == []
    with production.use():
        assert aliases("tampered") == LiveVersions(None, None)
        version = registry.get_version("tampered", 1)
        mlflow_client.connect().delete_model_version("tampered", "1")
        mlflow_client.connect().delete_run(version.run_id)
    again = copy("tampered", production)
    assert go_live(production, again, REQUEST) == LiveVersions(2, None)


def test_a_digest_that_was_changed_with_the_files_does_not_help(production, damaged):
    again = copy("tampered", production)
    with production.use():
        mlflow_client.connect().set_model_version_tag("tampered", str(again.target_version), "model_sha256", "0" * 64)
    with pytest.raises(RegistryError, match="its tag model_sha256 is not that of the original"):
        check(production, again)


@pytest.mark.usefixtures("smoke_test_here")
@pytest.mark.parametrize(
    ("tag", "text"), [("threshold", "0.123"), pytest.param("classes", '["1", "0"]', marks=pytest.mark.prove)]
)
def test_tags_that_were_edited_there_do_not_go_live(production, tag, text):
    name = f"edited_{tag}"
    register(name)
    copied = copy(name, production)
    with production.use():
        mlflow_client.connect().set_model_version_tag(name, str(copied.target_version), tag, text)
    for step in (lambda: check(production, copied), lambda: go_live(production, copied, REQUEST)):
        with pytest.raises(RegistryError, match=rf"does not go live there: .*the tag '{tag}', set at training, is"):
            step()
    with production.use():
        assert aliases(name) == LiveVersions(None, None)
    assert promotions(name) == []


def test_a_version_whose_tags_were_edited_here_is_not_copied(production):
    version = registry.get_version("retold", register("retold"))
    mlflow_client.connect().set_model_version_tag("retold", version.version, "threshold", "0.123")
    with pytest.raises(RegistryError, match=r"retold version 1: the tag 'threshold' is '0\.123', but"):
        copy("retold", production)


def test_a_version_whose_files_were_changed_here_is_not_copied(production):
    name = "rotten"
    version = registry.get_version(name, register(name))
    mlflow_client.connect().set_model_version_tag(name, version.version, "model_sha256", "0" * 64)
    with pytest.raises(RegistryError, match="rotten version 1: the tag 'model_sha256' is '0000"):
        copy(name, production)
    with production.use():
        assert versions(name) == []


@pytest.mark.usefixtures("smoke_test_here")
def test_a_copy_that_predicts_something_else_does_not_go_live(production, two_copies, monkeypatch):
    (_, second), _ = two_copies
    monkeypatch.setattr(registry.LoadedModel, "predict", make_drift())
    with pytest.raises(RegistryError, match="it does not predict the same"):
        check(production, second)


def make_drift():
    predict, calls = registry.LoadedModel.predict, []

    def drifted(model, frame):
        calls.append(frame)
        probabilities, classes = predict(model, frame)
        return probabilities + 1e-6 * len(calls), classes

    return drifted


def test_a_killed_copy_is_continued(production, monkeypatch):
    register("halfway")
    with killed_at(monkeypatch, registry, "ensure_model"):
        copy("halfway", production)
    copied = copy("halfway", production)
    with production.use():
        assert (versions("halfway"), len(runs("halfway"))) == ([1], 1)
        registry.load_copy(registry.get_version("halfway", copied.target_version))


@pytest.mark.parametrize(
    ("options", "text"), [({"name": "nowhere"}, "no model is live"), ({"version": 99}, "there is no version 99")]
)
def test_there_is_nothing_to_copy(production, two_copies, options, text):
    with pytest.raises(RegistryError, match=text):
        copy(**{"name": "copy_version", "environment": production} | options)


def test_the_registry_of_this_platform_is_no_environment(two_copies):
    itself = Environment("staging", settings().mlflow_tracking_uri + "/", "", SecretStr(""))
    with pytest.raises(ConfigurationError, match=r"staging: .* is the registry of this platform itself"):
        copy("copy_version", itself)
