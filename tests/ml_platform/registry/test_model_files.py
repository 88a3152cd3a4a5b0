import os
import pickle
import shutil
import zipfile

import lightgbm
import numpy as np
import pytest
import skops.io
import xgboost
import yaml
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.preprocessing import FunctionTransformer

from ml_platform.estimators.lightgbm_model import LightGBMClassifier
from ml_platform.estimators.model_parts import threshold_of
from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.row_explainer import RowExplainer
from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.estimators.xgboost_model import XGBoostClassifier
from ml_platform.exceptions import RegistryError
from ml_platform.registry import model_files
from ml_platform.specs.parts import Join
from ml_platform.specs.spec import FeatureTable
from ml_platform.specs.tasks import ENSEMBLE
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.fitting import fit
from ml_platform.training.split import split
from tests.ml_platform.estimators.fitted_models import CLASSIFIERS, REGRESSORS, small_candidate
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
)


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


WEIGHTS = {"class_weight": "balanced"}  # such a model is calibrated


@pytest.fixture(scope="module", params=CLASSIFIERS)
def fitted(request):
    return fit(Candidate(request.param, WEIGHTS), split(make_training_set(frame=make_frame(300)), 3), 3)


@pytest.fixture(scope="module", params=CLASSIFIERS)
def several(request):
    return fit(Candidate(request.param, WEIGHTS), split(make_training_set(make_weeks(), make_weeks_frame()), 3), 3)


@pytest.fixture(scope="module")
def small():
    candidate = Candidate("logistic_regression", {})
    return fit(candidate, split(make_training_set(frame=make_frame(300)), 3), 3)


@pytest.fixture
def folder(small, tmp_path):
    model_files.write(small, make_dataset(), example(), tmp_path / "model", run_id="r", model_id="m")
    return tmp_path / "model"


def example():
    return make_frame(300)[list(make_dataset().features)].head(3)


def edit(folder, flavor, **options):
    described = yaml.safe_load((folder / "MLmodel").read_text())
    described["flavors"].setdefault(flavor, {}).update(options)
    (folder / "MLmodel").write_text(yaml.safe_dump(described))


def test_written_without_pickle_and_read_back_it_predicts_the_same(fitted, tmp_path):
    features = example()
    digest = model_files.write(fitted, make_dataset(), example(), tmp_path / "model", run_id="r", model_id="m")
    loaded, columns, dataset = model_files.read(tmp_path / "model", digest)
    assert dataset == make_dataset()
    assert (loaded.predict_proba(features) == fitted.predict_proba(features)).all()
    ours, theirs = (
        RowExplainer(one, RowScorer(one, columns), columns).explain(features, np.zeros(3, dtype=int))
        for one in (loaded, fitted)
    )
    assert ours.effects.any()
    assert np.array_equal(ours.effects, theirs.effects)
    assert columns == {
        "age": "double", "income": "double", "member": "double", "empty": "double", "town": "string", "blank": "string"
    }  # fmt: skip
    assert zipfile.is_zipfile(tmp_path / "model" / "model.skops")
    assert not list((tmp_path / "model").rglob("*.pkl"))


def test_a_model_of_an_earlier_version_with_its_own_threshold_is_read_back(tmp_path):
    parts = split(make_training_set(frame=make_frame(300)), 3)
    model = TunedThresholdClassifierCV(
        pipeline(Candidate("logistic_regression", {}), parts.dataset), scoring="f1", cv=3
    )
    model.fit(*parts.train())
    digest = model_files.write(model, make_dataset(), example(), tmp_path / "model", run_id="r", model_id="m")
    loaded, _, _ = model_files.read(tmp_path / "model", digest)
    assert threshold_of(loaded) == threshold_of(model) == model.best_threshold_


def test_several_classes_are_written_and_read_back_too(several, tmp_path):
    features = make_weeks_frame()[["heat", "rain", "town"]].head(3)
    digest = model_files.write(several, make_weeks(), features, tmp_path / "model", run_id="r", model_id="m")
    loaded, _, dataset = model_files.read(tmp_path / "model", digest)
    assert (loaded.predict_proba(features) == several.predict_proba(features)).all()
    assert dataset == make_weeks()


def test_the_spec_in_a_model_includes_the_tables_that_it_joins(small, tmp_path):
    table = FeatureTable.model_validate(
        {"kind": "table", "name": "rent", "description": "", "entity": {"name": "town", "key": "town"}, "ttl": "6h",
         "columns": {"town": "category", "price": {"type": "money", "decimal": ","}}}
    )  # fmt: skip
    joined = make_dataset().model_copy(update={"features_from": (Join(table="rent"),), "tables": (table,)})
    digest = model_files.write(small, joined, example(), tmp_path / "model", run_id="r", model_id="m")
    assert model_files.read(tmp_path / "model", digest)[2] == joined


@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_the_requirements_name_the_packages_that_the_model_needs(estimator):
    model = pipeline(Candidate(estimator, {}), make_dataset())
    own = {"xgboost": {"xgboost-cpu"}, "lightgbm": {"lightgbm"}}.get(estimator, set())
    found = dict(line.split("==") for line in model_files.requirements(model))
    assert set(found) == {*model_files.PACKAGES, *own}
    assert found.items() <= model_files.package_versions().items()


@pytest.fixture(scope="module")
def ensemble():
    """A calibrated ensemble of every classifier."""
    return fit(small_candidate(ENSEMBLE), split(make_training_set(frame=make_frame(300)), 3), 3)


def test_an_ensemble_is_written_without_pickle_and_read_back(ensemble, tmp_path):
    digest = model_files.write(ensemble, make_dataset(), example(), tmp_path / "model", run_id="r", model_id="m")
    loaded, _, _ = model_files.read(tmp_path / "model", digest)
    assert (loaded.predict_proba(example()) == ensemble.predict_proba(example())).all()
    assert not list((tmp_path / "model").rglob("*.pkl"))
    assert {"xgboost-cpu", "lightgbm"} <= {line.split("==")[0] for line in model_files.requirements(ensemble)}


def test_an_ensemble_of_numbers_is_written_and_read_back(tmp_path):
    parts = split(make_training_set(make_houses(), make_houses_frame(300)), 3)
    model, features = fit(small_candidate(ENSEMBLE, REGRESSORS), parts, 3), parts.test()[0].head(3)
    digest = model_files.write(model, parts.dataset, features, tmp_path / "model", run_id="r", model_id="m")
    loaded, _, _ = model_files.read(tmp_path / "model", digest)
    assert (loaded.predict(features) == model.predict(features)).all()
    assert (loaded.lower, loaded.upper) == (model.lower, model.upper)


def test_a_member_whose_package_is_not_there_is_named(ensemble, tmp_path, monkeypatch):
    digest = model_files.write(ensemble, make_dataset(), example(), tmp_path / "model", run_id="r", model_id="m")
    monkeypatch.setattr(LightGBMClassifier, "package", OptionalPackage("lightgbm", "no_such_module"))
    with pytest.raises(RegistryError, match=r"cannot be loaded: ImportError: the package lightgbm .* install"):
        model_files.read(tmp_path / "model", digest)


@pytest.mark.parametrize("name", ["model.skops", "dataset.json"])
def test_a_changed_file_is_refused(folder, name):
    digest = model_files.digest(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(RegistryError, match=r"digest .* recorded at training was"):
        model_files.read(folder, digest)


def test_a_model_without_a_recorded_digest_is_refused(folder):
    with pytest.raises(RegistryError, match="was none"):
        model_files.read(folder, "")


def add_pickle(folder, marker):
    (folder / "model.pkl").write_bytes(pickle.dumps(Payload(marker)))
    edit(folder, "sklearn", pickled_model="model.pkl", serialization_format="pickle")


def add_cloudpickle_under_the_expected_name(folder, marker):
    (folder / "model.skops").write_bytes(pickle.dumps(Payload(marker)))
    edit(folder, "sklearn", serialization_format="cloudpickle")


def add_pickle_as_skops(folder, marker):
    (folder / "model.skops").write_bytes(pickle.dumps(Payload(marker)))


def add_code(folder, marker):
    (folder / "code").mkdir()
    (folder / "code" / "sklearn_extra").write_text(f"open({str(marker)!r}, 'w')")
    edit(folder, "python_function", code="code")


def add_code_option_only(folder, marker):
    edit(folder, "sklearn", code="../../tmp")


def add_loader_module(folder, marker):
    edit(folder, "python_function", loader_module="os")


def add_path_upwards(folder, marker):
    (folder.parent / "evil.skops").write_bytes(pickle.dumps(Payload(marker)))
    edit(folder, "sklearn", pickled_model="../evil.skops")


def add_link(folder, marker):
    (folder / "model.skops").rename(folder.parent / "elsewhere.skops")
    (folder / "model.skops").symlink_to(folder.parent / "elsewhere.skops")


def add_flavor(folder, marker):
    edit(folder, "custom", loader="os.system")


def add_untrusted_type(folder, marker):
    skops.io.dump(FunctionTransformer(os.system), folder / "model.skops")
    edit(folder, "sklearn", skops_trusted_types=["posix.system", "os.system"])


def break_description(folder, marker):
    (folder / "MLmodel").write_text("[]")


def drop_spec(folder, marker):
    (folder / "dataset.json").unlink()


def break_spec(folder, marker):
    (folder / "dataset.json").write_text('{"name": "shop"}')


def break_model(folder, marker):
    (folder / "model.skops").write_bytes(b"PK")


@pytest.fixture(scope="module", params=[XGBoostClassifier, LightGBMClassifier], ids=["xgboost", "lightgbm"])
def boosted(request, tmp_path_factory):
    """The files of a model of boosted trees."""
    name = request.param.package.module
    model = fit(Candidate(name, {"n_estimators": 9}), split(make_training_set(frame=make_frame(300)), 3), 3)
    folder = tmp_path_factory.mktemp(name) / "model"
    model_files.write(model, make_dataset(), example(), folder, run_id="r", model_id="m")
    return folder


def with_trees(source, target, change):
    """Copy the files of a model, with other bytes of its trees."""
    shutil.copytree(source, target)
    with zipfile.ZipFile(source / "model.skops") as before, zipfile.ZipFile(target / "model.skops", "w") as after:
        trees = [name for name in before.namelist() if name.endswith(".bin")]
        assert trees
        for name in before.namelist():
            after.writestr(name, change(before.read(name)) if name in trees else before.read(name))
    return target


TREES = {
    "cut off": lambda text: text[: len(text) // 2],
    "empty": lambda text: b"",
    "a pickle": lambda text: pickle.dumps(Payload("marker")),
    "a huge tree": lambda text: text.replace(b"num_leaves=", b"num_leaves=9").replace(
        b'num_nodes":"', b'num_nodes":"9'
    ),
    "no trees": lambda text: text.replace(b"Tree=", b"tree=").replace(b'"trees"', b'"bushes"'),
}


@pytest.mark.parametrize("change", TREES)
def test_malformed_trees_are_refused_even_if_the_digest_fits(boosted, tmp_path, change, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = with_trees(boosted, tmp_path / "model", TREES[change])
    with pytest.raises(RegistryError, match=r"the stored trees of .*Classifier are malformed"):
        model_files.read(folder, model_files.digest(folder))
    assert not (tmp_path / "marker").exists()


def test_the_digest_is_checked_before_any_tree_is_read(boosted, tmp_path, monkeypatch):
    def parse(*_):
        raise AssertionError("the trees were read")

    for kind in (XGBoostClassifier, LightGBMClassifier):
        monkeypatch.setattr(kind, "_check", parse)
        monkeypatch.setattr(kind, "_parse", parse)
    folder = with_trees(boosted, tmp_path / "model", lambda text: text + b" ")
    with pytest.raises(RegistryError, match="recorded at training was"):
        model_files.read(folder, model_files.digest(boosted))
    with pytest.raises(AssertionError, match="the trees were read"):  # with the right digest they are
        model_files.read(boosted, model_files.digest(boosted))


def test_a_model_whose_library_is_not_there_says_what_to_install(boosted, monkeypatch):
    for kind in (XGBoostClassifier, LightGBMClassifier):
        monkeypatch.setattr(kind, "package", OptionalPackage("the-package", "no_such_module"))
    with pytest.raises(RegistryError, match=r"cannot be loaded: ImportError: the package the-package .* install"):
        model_files.read(boosted, model_files.digest(boosted))


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_an_object_of_the_library_itself_is_not_trusted(folder, library):
    skops.io.dump(
        {"xgboost": xgboost.XGBClassifier, "lightgbm": lightgbm.LGBMClassifier}[library](), folder / "model.skops"
    )
    with pytest.raises(RegistryError, match=f"does not trust: .*{library}"):
        model_files.read(folder, model_files.digest(folder))


@pytest.mark.parametrize(
    "poison",
    [
        add_pickle, add_cloudpickle_under_the_expected_name, add_pickle_as_skops, add_code, add_code_option_only,
        add_loader_module, add_path_upwards, add_link, add_flavor, add_untrusted_type, break_description, break_model,
        drop_spec, break_spec,
    ],
)  # fmt: skip
def test_a_poisoned_model_is_refused_and_runs_nothing_even_if_its_digest_fits(folder, tmp_path, poison):
    marker = tmp_path / "marker"
    poison(folder, marker)
    with pytest.raises(RegistryError):
        model_files.read(folder, model_files.digest(folder))
    assert not marker.exists()
