"""From one registry to another, on real servers: two MLflows, each with a database and a bucket of its own."""

import io
import json
import os
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import set_current_context
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from pydantic import SecretStr

from ml_platform.environments.approval_question import question
from ml_platform.environments.copy_version import check, copy
from ml_platform.environments.environment import Environment
from ml_platform.environments.go_live import go_live
from ml_platform.environments.values import PromotionRequest
from ml_platform.exceptions import ConfigurationError, RegistryError, ServiceError
from ml_platform.promotion import smoke_test
from ml_platform.promotion.history import history
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import model_files, registry, version_tags
from ml_platform.settings import settings
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.parts import Promotion
from ml_platform.storage import database, mlflow_client, object_store
from ml_platform.training import steps, tracking, training_set
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit, threshold_of
from ml_platform.training.split import split
from tests.ml_platform.environments.second_registry import BUCKET, second_registry, store
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
    searched_with,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

ONE = {"logistic_regression": {"C": [1.0]}}
ASKED = PromotionRequest("alice", "it was good for a month", approved_by="bob")


@pytest.fixture(scope="module")
def production(mlflow_server, tmp_path_factory):
    with second_registry(mlflow_server, tmp_path_factory.mktemp("production")) as environment:
        yield environment


def frozen(dataset, frame):
    """Store a training set where `freezing` would."""
    made, sha256 = make_training_set(dataset, frame), training_set.content_hash(frame)
    key = f"training_sets/{dataset.name}/{sha256}.parquet"
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    object_store.put_new("mlflow", key, buffer.getvalue())
    return replace(made, sha256=sha256, uri=f"s3://mlflow/{key}")


@cache
def fitted(seed):
    data = make_training_set(frame=make_frame(300, seed))
    return fit(Candidate("logistic_regression", {}), split(data, 3), 3)


def register(name, seed=1):
    """Register what a training would, without its search, and let it be live here."""
    api, dataset, model = mlflow_client.connect(), make_dataset(name), fitted(seed)
    sha256 = f"{seed:064d}"
    tags = {"search_id": f"{seed}", "kind": "search", "training_set_sha256": sha256, "packages": "{}", "sources": "[]"}
    tags |= {"training_set_uri": f"s3://mlflow/{sha256}.parquet", "mlflow.source.git.commit": "c0ffee", "reason": "new"}
    run = api.create_run(mlflow_client.experiment_id(api, name), run_name=name, tags=tags)
    api.log_batch(run.info.run_id, [Metric("holdout_f1", 0.5, 1, 0)], [Param("folds", "3")])
    tracking.log_input(api, run.info.run_id, name, sha256, tags["training_set_uri"], {"num_rows": 300})
    api.set_terminated(run.info.run_id)
    recorded = version_tags.required_tags(("0", "1"), threshold_of(model), HoldoutRule(name, "entity", 0.2))
    recorded |= {"training_set_sha256": sha256, "git_commit": "c0ffee", "decision": "promoted"}
    example = make_frame(300)[list(dataset.features)].head(3)
    version = int(registry.register(run, dataset, model, example, recorded).version)
    registry.set_alias(name, "champion", version)
    return version


def files(version):
    with registry.download(version) as folder:
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def aliases(name):
    found = {alias: registry.alias_version(name, alias) for alias in ("champion", "previous")}
    return {alias: version and int(version.version) for alias, version in found.items()}


def versions(name):
    return sorted(int(version.version) for version in mlflow_client.connect().search_model_versions(f"name = '{name}'"))


def runs(name):
    api = mlflow_client.connect()
    return api.search_runs([api.get_experiment_by_name(name).experiment_id])


def promotions(name):
    return database.fetch(
        "SELECT version, target_version, target_before, promoted_by, approved_by, reason, is_done"
        " FROM models.promotions WHERE model = $1 AND environment = 'production' ORDER BY promotion_id",
        name,
    )


def spoil(config, environment, copied, file, content):
    """Write into a version's files there, past MLflow."""
    with environment.entered():
        folder = registry.get_version(copied.model, copied.target_version).source.removeprefix("mlflow-artifacts:/")
    store(config).put_object(Bucket=BUCKET, Key=f"{folder}/{file}", Body=content)


@pytest.fixture(scope="module")
def stall(production):
    """Two versions that were promoted one after the other."""
    first = register("stall")
    copied = [copy("stall", production)]
    second = register("stall", seed=2)
    copied.append(copy("stall", production))
    moved = [go_live(production, one, ASKED) for one in copied]
    assert (first, second) == (1, 2)
    return copied, moved


def test_files_run_and_tags_arrive_as_they_are(production, stall):
    (copied, _), _ = stall
    source = registry.get_version("stall", copied.version)
    run, content = mlflow_client.connect().get_run(source.run_id), files(source)
    answers = registry.load(source).predict(make_frame())[0].tobytes()
    with production.entered():
        there = registry.get_version("stall", copied.target_version)
        copy = mlflow_client.connect().get_run(there.run_id)
        assert files(there) == content
        assert registry.load(there).predict(make_frame())[0].tobytes() == answers
        assert not tracking.newest_search("stall")  # the run is no search: a training there does not go on with it
    assert there.tags.items() >= {tag: text for tag, text in source.tags.items() if tag != "decision"}.items()
    assert there.tags["source_decision"] == "promoted"  # of the gate here, against the champion here
    assert (copy.data.metrics, copy.data.params) == (run.data.metrics, run.data.params)
    assert (copy.info.status, copy.info.start_time) == ("FINISHED", run.info.start_time)
    assert copy.inputs.dataset_inputs[0].dataset.digest == source.tags["training_set_sha256"][:36]
    for tag in ("training_set_sha256", "mlflow.source.git.commit", "packages", "sources"):
        assert copy.data.tags[tag] == run.data.tags[tag]
    for tags in (copy.data.tags, there.tags):
        assert (tags["source_run_id"], tags["source_version"]) == (run.info.run_id, source.version)
        assert tags["source_registry"] == settings().mlflow_url
    assert not {"search_id", "reason", "training_set_uri"} & set(copy.data.tags)


def test_the_aliases_there_move_and_both_sides_know_why(production, stall):
    _, moved = stall
    assert moved == [LiveVersions(1, None), LiveVersions(2, 1)]
    told = ("alice", "bob", "it was good for a month", True)
    assert promotions("stall")[:2] == [(1, 1, None, *told), (2, 2, 1, *told)]
    with production.entered():
        tags = registry.get_version("stall", 2).tags
        assert (tags["promoted_by"], tags["approved_by"]) == ("alice", "bob")
        (period,) = history("stall")  # as the platform there finds it
    assert (period.version, period.moved_by, period.why) == (2, "alice", "promotion")
    assert period.reason == "it was good for a month; approved by bob"
    assert period.valid_from.isoformat() == tags["promoted_at"]


def test_carried_again_it_is_the_version_that_is_there(production, stall):
    (first, second), _ = stall
    assert copy("stall", production, 1) == first
    assert copy("stall", production) == second
    with production.entered():
        assert (versions("stall"), len(runs("stall"))) == ([1, 2], 2)


def test_back_there_by_promoting_the_version_before(production, stall):
    (first, second), _ = stall
    assert go_live(production, first, PromotionRequest("carol", "too many alarms")) == LiveVersions(1, 2)
    with production.entered():
        assert history("stall")[-1].moved_by == "carol"
        registry.set_alias("stall", "champion", 2)  # by hand, and the tags of the first promotion are there still
        last = history("stall")[-1]
        assert (last.version, last.moved_by, last.why) == (2, "unknown", "by hand")
        assert aliases("stall") == LiveVersions(2, 1)
    count = len(promotions("stall"))
    assert go_live(production, second, ASKED) == LiveVersions(2, 1)
    assert len(promotions("stall")) == count  # it was live already


def test_a_model_of_that_name_that_is_live_there_becomes_the_previous_one(production):
    register("taken")
    with production.entered():
        api = mlflow_client.connect()
        api.create_registered_model("taken")
        run = api.create_run(mlflow_client.experiment_id(api, "taken"))
        own = [api.create_model_version("taken", run.info.artifact_uri, run.info.run_id) for _ in range(2)]
        registry.set_alias("taken", "champion", int(own[1].version))
        registry.set_alias("taken", "previous", int(own[0].version))
    copied = copy("taken", production)
    assert copied.target_version == 3
    assert go_live(production, copied, ASKED) == LiveVersions(3, 2)


def test_it_answers_its_holdout_there_as_it_does_here(production):
    dataset, frame = make_weeks("fair", ONE), make_weeks_frame()
    data = frozen(dataset, frame)
    copied = copy("fair", production, steps.refit(data, searched_with(data)).version)
    rows = int(mlflow_client.connect().get_run(copied.run_id).data.params["rows_holdout"])
    assert check(production, copied) == rows > 100


@pytest.fixture(scope="module")
def spoilt(production):
    register("spoilt")
    return copy("spoilt", production)


def test_files_that_were_changed_there_do_not_go_live(mlflow_server, production, spoilt):
    assert check(production, spoilt) == 3  # its training set is gone: the rows of its example
    spoil(mlflow_server, production, spoilt, model_files.SPEC_FILE, b"{}")
    for step in (lambda: check(production, spoilt), lambda: go_live(production, spoilt, ASKED)):
        with pytest.raises(RegistryError, match=r"spoilt version 1, in production version 1, does not go live.*digest"):
            step()
    assert promotions("spoilt") == []
    with production.entered():
        assert aliases("spoilt") == LiveVersions(None, None)
        version = registry.get_version("spoilt", 1)
        mlflow_client.connect().delete_model_version("spoilt", "1")
        mlflow_client.connect().delete_run(version.run_id)
    anew = copy("spoilt", production)
    assert go_live(production, anew, ASKED) == LiveVersions(2, None)


def test_a_digest_that_was_changed_with_the_files_does_not_help(production, spoilt):
    again = copy("spoilt", production)
    with production.entered():
        mlflow_client.connect().set_model_version_tag("spoilt", str(again.target_version), "model_sha256", "0" * 64)
    with pytest.raises(RegistryError, match="its tag model_sha256 is not that of the files from here"):
        check(production, again)


@pytest.mark.parametrize(("tag", "text"), [("threshold", "0.123"), ("classes", '["1", "0"]')])
def test_tags_that_were_edited_there_do_not_go_live(production, tag, text):
    name = f"edited_{tag}"
    register(name)
    copied = copy(name, production)
    with production.entered():
        mlflow_client.connect().set_model_version_tag(name, str(copied.target_version), tag, text)
    for step in (lambda: check(production, copied), lambda: go_live(production, copied, ASKED)):
        with pytest.raises(RegistryError, match=rf"does not go live there: .*the tag '{tag}', set at training, is"):
            step()
    with production.entered():
        assert aliases(name) == LiveVersions(None, None)
    assert promotions(name) == []


def test_tags_that_were_edited_here_go_nowhere(production):
    version = registry.get_version("retold", register("retold"))
    mlflow_client.connect().set_model_version_tag("retold", version.version, "threshold", "0.123")
    with pytest.raises(RegistryError, match=r"retold version 1: the tag 'threshold', set at training, is '0\.123' and"):
        copy("retold", production)


def test_files_that_were_changed_here_go_nowhere(production):
    name = "rotten"
    version = registry.get_version(name, register(name))
    mlflow_client.connect().set_model_version_tag(name, version.version, "model_sha256", "0" * 64)
    with pytest.raises(RegistryError, match="rotten version 1: the model's files have digest"):
        copy(name, production)
    with production.entered():
        assert versions(name) == []


def test_a_model_that_answers_otherwise_there_does_not_go_live(production, stall, monkeypatch):
    (_, second), _ = stall
    monkeypatch.setattr(smoke_test, "_ask", answer_in_this_process)
    monkeypatch.setattr(registry.LoadedModel, "predict", drifting())
    with pytest.raises(RegistryError, match="it does not predict what it did"):
        check(production, second)


def answer_in_this_process(arguments):
    smoke_test.main(*arguments)
    return type("Done", (), {"returncode": 0, "stderr": ""})


def drifting():
    predict, calls = registry.LoadedModel.predict, []

    def drifted(model, frame):
        calls.append(frame)
        probabilities, classes = predict(model, frame)
        return probabilities + 1e-6 * len(calls), classes

    return drifted


def test_a_person_is_asked_with_the_facts(production, stall):
    (first, _), _ = stall
    asked = question(production, first, Promotion(approval=True), rows=1640, by="alice", reason="a | b\nc")
    assert asked.subject == "stall: may version 1 go live in production?"
    parts = (
        *("| asked for by | alice |", "| reason | a \\| b c |", "| live in production now | version 2 there |"),
        *("it answered 1,640 rows", "| commit | c0ffee |", first.model_sha256, "within 3d: version 2 stays"),
    )
    for part in parts:
        assert part in asked.body


def test_the_tasks_of_the_dag_do_it(production, monkeypatch, dag_bag):
    """The DAG is that of `auto`; here this is but a name."""
    register("auto")
    password, address = production.password.get_secret_value(), urlsplit(production.url)
    connection = {"conn_type": "http", "host": address.hostname, "port": address.port, "login": "admin"}
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_PRODUCTION", json.dumps(connection | {"password": password}))
    params = {"environment": "production", "version": None, "reason": "it is good"}
    started = SimpleNamespace(triggering_user_name="alice", dag_id="promote_auto")
    copy_it, check_it, move_it = (dag_bag.dags["promote_auto"].get_task(name) for name in ("copy", "check", "move"))
    said = {"responded_at": "2026-03-01T12:00:00+00:00", "chosen_options": ["Reject"], "responded_by_user": None}
    yes = said | {"chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "bob"}}
    with set_current_context({"params": params, "run_id": "manual", "dag_run": started}):
        version = json.loads(json.dumps(copy_it.python_callable()))
        assert check_it.python_callable(version)["subject"] == "auto: may version 1 go live in production?"
        with pytest.raises(AirflowSkipException, match="no answer: no alias has moved"):
            move_it.python_callable(version, said)
        assert promotions("auto") == []
        assert move_it.python_callable(version, yes) == {"champion": 1, "previous": None}
    assert promotions("auto") == [(1, 1, None, "alice", "bob", "it is good", True)]


class KilledError(Exception):
    """Stands for the kill of a process."""


@contextmanager
def killed_at(monkeypatch, module, function):
    def die(*_, **__):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module, function, die)
        with pytest.raises(KilledError):
            yield


def test_a_killed_carry_goes_on(production, monkeypatch):
    register("halfway")
    with killed_at(monkeypatch, registry, "ensure_model"):
        copy("halfway", production)
    copied = copy("halfway", production)
    with production.entered():
        assert (versions("halfway"), len(runs("halfway"))) == ([1], 1)
        registry.load(registry.get_version("halfway", copied.target_version))


@pytest.mark.parametrize(("module", "function"), [(registry, "set_alias"), (go_live, "_finish")])
def test_a_killed_move_is_made_good_and_not_repeated(production, monkeypatch, module, function):
    name, asked = f"killed{function}", replace(ASKED, id="run 1")
    register(name)
    first = copy(name, production)
    assert go_live(production, first, ASKED) == LiveVersions(1, None)
    register(name, seed=2)
    second = copy(name, production)
    with killed_at(monkeypatch, module, function):
        go_live(production, second, asked)
    assert [row[-1] for row in promotions(name)] == [True, False]
    assert go_live(production, second, asked) == LiveVersions(2, 1)
    assert [row[-1] for row in promotions(name)] == [True, True]
    go_live(production, first, ASKED)
    assert go_live(production, second, asked) == LiveVersions(1, 2)  # it was done once: back is back


def test_who_moves_the_alias_there_at_the_same_moment_is_not_overrun(production, monkeypatch):
    load = registry.load

    def slowly(version):
        registry.set_alias("busy", "champion", 2)
        return load(version)

    register("busy")
    go_live(production, copy("busy", production), ASKED)
    register("busy", seed=2)
    second = copy("busy", production)
    with monkeypatch.context() as patch:
        patch.setattr(registry, "load", slowly)
        with pytest.raises(ServiceError, match="version 2 went live in production meanwhile, not 1"):
            go_live(production, second, ASKED)
    assert len(promotions("busy")) == 1


@pytest.mark.parametrize(
    ("asked", "text"), [({"name": "nowhere"}, "no model is live"), ({"version": 99}, "there is no version 99")]
)
def test_there_is_nothing_to_carry(production, stall, asked, text):
    with pytest.raises(RegistryError, match=text):
        copy(**{"name": "stall", "environment": production} | asked)


def test_a_promotion_wants_a_reason(production, stall):
    with pytest.raises(RegistryError, match="needs a reason"):
        go_live(production, stall[0][0], PromotionRequest("alice", " "))


def test_this_very_registry_is_no_environment(stall):
    itself = Environment("staging", settings().mlflow_tracking_uri + "/", "", SecretStr(""))
    with pytest.raises(ConfigurationError, match=r"staging: .* is this very registry"):
        copy("stall", itself)


@pytest.mark.parametrize(("login", "password"), [("admin", "guessed"), ("", "")])
def test_a_wrong_password_is_said_and_not_shown(production, stall, login, password):
    wrong, here = replace(production, login=login, password=SecretStr(password)), aliases("stall")
    with pytest.raises(ConfigurationError, match=rf"production: http://\S+ refuses the login '{login}'") as error:
        copy("stall", wrong)
    assert "guessed" not in str(error.value)
    assert aliases("stall") == here


def test_a_registry_that_is_away_is_worth_a_retry(stall, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away, here = Environment("production", "http://127.0.0.1:9", "admin", SecretStr("secret")), aliases("stall")
    with pytest.raises(MlflowException, match="Max retries exceeded"):
        copy("stall", away)
    assert aliases("stall") == here


def test_neither_registry_sees_the_login_of_the_other(production, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ours")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "ours as well")
    with production.entered():
        inside = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_TRACKING_")}
    password = production.password.get_secret_value()
    assert "ours" not in "".join(inside.values())
    assert inside["MLFLOW_TRACKING_PASSWORD"] == password
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "ours"
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "ours as well"
    assert password not in os.environ.values()
    assert password not in repr(production)
