"""Feast: its definitions are registered once, and again after each change of what they are made from."""

import shutil
import subprocess

import psycopg2
import pytest

from stack.config import ROOT
from stack.servers import feast


@pytest.fixture
def config(config, tmp_path):
    """Settings with data sets that the test can change."""
    config.state_dir.mkdir()
    shutil.copytree(ROOT / "datasets", tmp_path / "datasets")
    return config.model_copy(update={"datasets_dir": tmp_path / "datasets"})


@pytest.fixture
def registry(monkeypatch):
    """Return the rows that Feast's registry answers with; the test can replace them, also by an error."""
    rows = {"answer": [("as applied",)]}

    def query(uri, sql):
        if isinstance(rows["answer"], Exception):
            raise rows["answer"]
        return rows["answer"]

    monkeypatch.setattr(feast.probes, "query", query)
    return rows


def apply(config):
    """Return the step, after it has run."""
    step = next(node for node in feast.nodes(config) if node.name == "feast-apply")
    step.after()
    return step


def test_the_step_runs_on_a_new_platform(config, registry):
    step, _ = feast.nodes(config)
    assert not step.is_done()


def test_after_the_step_it_is_done(config, registry):
    assert apply(config).is_done()


def test_a_changed_or_new_data_set_makes_it_run_again(config, registry):
    step = apply(config)
    auto = config.datasets_dir / "auto.yaml"
    text = auto.read_text()
    auto.write_text(text + "# changed\n")
    assert not step.is_done()
    auto.write_text(text)
    assert step.is_done()
    shutil.copy(auto, config.datasets_dir / "other.yaml")
    assert not step.is_done()


@pytest.mark.parametrize("package", feast.CODE)
def test_changed_code_makes_it_run_again(config, registry, package, tmp_path, monkeypatch):
    for folder in ("feast_repo", f"plugins/ml_platform/{package}"):
        shutil.copytree(ROOT / folder, tmp_path / "root" / folder)
    monkeypatch.setattr(feast, "ROOT", tmp_path / "root")
    step = apply(config)
    assert step.is_done()
    module = next((tmp_path / "root" / "plugins" / "ml_platform" / package).glob("[a-z]*.py"))
    module.write_text(module.read_text() + "# changed\n")
    assert not step.is_done()


@pytest.mark.parametrize("answer", [[(None,)], [("changed",)], psycopg2.OperationalError("no such database")])
def test_another_or_a_changed_registry_makes_it_run_again(config, registry, answer):
    step = apply(config)
    registry["answer"] = answer
    assert not step.is_done()


def test_the_ui_starts_after_the_step_and_listens_on_this_machine_only(config):
    _, ui = feast.nodes(config)
    assert ui.needs == ("feast-apply",)
    assert ui.command[-6:-2] == ("--host", "127.0.0.1", "--port", str(config.feast_port))
    assert (feast.REPO / "feature_store.yaml").exists()


def test_the_guard_is_in_front_of_the_ui(config):
    _, ui = feast.nodes(config)
    assert ui.command[1:3] == ("stack.screens.feast:create_app", "--factory")
    assert ui.environment["FEAST_HOSTS"] == f"127.0.0.1:{config.feast_port},localhost:{config.feast_port}"
    assert ui.environment["FEAST_ADMIN_PASSWORD"] == config.feast_admin_password.get_secret_value()


@pytest.mark.servers
def test_what_was_removed_or_changed_in_the_registry_is_applied_again(servers):
    """On a real registry: the step is not done any more, and puts back what `datasets/` declares."""
    from ml_platform.feature_store import features
    from ml_platform.specs.catalog import catalog

    def step():
        return next(node for node in feast.nodes(servers) if node.name == "feast-apply")

    def apply_step():
        subprocess.run(step().command, env=dict(step().environment), check=True)
        step().after()

    apply_step()
    assert step().is_done()
    declared = catalog()
    features.apply(*declared.tables, *declared.datasets)  # as tasks do again and again
    assert step().is_done()
    store = features.store()
    store.registry.delete_feature_service("auto", store.project)
    assert not step().is_done()
    apply_step()
    assert features.store().get_feature_service("auto").name == "auto"
    auto = store.get_feature_view("auto")
    auto.description = "changed by somebody"
    store.registry.apply_feature_view(auto, store.project)
    assert not step().is_done()
    apply_step()
    assert features.store().get_feature_view("auto").description != "changed by somebody"
    assert step().is_done()
