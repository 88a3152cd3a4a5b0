"""The trigger forms: every field is explained, the defaults are those of the spec, and bad values are refused."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError

from ml_platform.airflow import forms
from ml_platform.specs.catalog import dataset
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.parts import Search
from ml_platform.training.search_plan import SearchPlan

AUTO = dataset("auto")
FORMS = {
    "training": forms.training(AUTO),
    "rollback": forms.rollback("auto"),
    "promotion": forms.promotion("auto"),
    "pull": forms.pull(),
    "monitoring": forms.monitoring(AUTO),
}
ENVIRONMENTS = ["Production!", "", "1st", "a" * 42]


def values(fields: Mapping[str, Param]) -> dict[str, object]:
    return {name: field.resolve() for name, field in fields.items()}


@pytest.mark.parametrize("form", FORMS)
def test_every_field_has_a_title_and_a_description(form: str) -> None:
    for name, field in FORMS[form].items():
        assert field.schema["title"][0].isupper(), name
        assert field.description.endswith("."), name


def test_a_training_needs_no_input_and_does_what_the_spec_says() -> None:
    search = AUTO.search
    assert values(FORMS["training"]) == {
        "grid": "full",
        "estimators": list(search.candidates),
        "scoring": search.scoring,
        "folds": search.folds,
        "jobs": search.jobs,
        "strategy": "grid",
        "trials": 40,
        "timeout": None,
        "ensemble": None,
    }


def test_an_empty_field_of_a_training_means_none() -> None:
    search = Search(strategy="tpe", timeout="10m", ensemble=5)
    form = values(forms.training(AUTO.model_copy(update={"search": search})))
    plan = SearchPlan.of(AUTO, **forms.search_options(form | {"grid": "quick", "trials": 4, "on_behalf_of": "ann"}))
    assert (plan.strategy, plan.trials, plan.timeout, plan.ensemble) == ("tpe", 4, 600.0, 5)
    emptied = form | {"timeout": None, "ensemble": None}
    plan = SearchPlan.of(AUTO.model_copy(update={"search": search}), **forms.search_options(emptied))
    assert (plan.trials, plan.timeout, plan.ensemble) == (40, None, 0)


def test_the_form_offers_only_the_estimators_of_the_spec() -> None:
    candidates = {"random_forest": {}}
    search = AUTO.search.model_copy(update={"candidates": candidates, "folds": 3})
    fields = forms.training(AUTO.model_copy(update={"search": search}))
    assert fields["estimators"].resolve(["random_forest"]) == ["random_forest"]
    assert fields["folds"].resolve() == 3
    with pytest.raises(ParamValidationError):
        fields["estimators"].resolve(["logistic_regression"])


def test_distributions_can_only_be_searched_adaptively() -> None:
    candidates = {"logistic_regression": {"C": {"low": 0.1, "high": 1.0}}}
    search = Search.model_validate({"strategy": "tpe", "trials": 60, "timeout": "10m", "candidates": candidates})
    fields = forms.training(AUTO.model_copy(update={"search": search}))
    assert (values(fields)["strategy"], values(fields)["trials"], values(fields)["timeout"]) == ("tpe", 60, "10m")
    with pytest.raises(ParamValidationError):
        fields["strategy"].resolve("grid")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("grid", "medium"), ("scoring", "accuracy of all"), ("estimators", []), ("estimators", ["svm"])),
        *(("estimators", ["random_forest", "random_forest"]), ("folds", 1), ("folds", 21), ("folds", 2.5)),
        *(("jobs", 0), ("jobs", 65), ("jobs", "all")),
        *(("strategy", "random"), ("trials", 0), ("trials", 10_001), ("timeout", "10"), ("timeout", "soon")),
        *(("ensemble", 1), ("ensemble", 11), ("ensemble", "yes")),
    ],
)
def test_the_form_of_a_training_refuses(field: str, value: object) -> None:
    with pytest.raises(ParamValidationError):
        FORMS["training"][field].resolve(value)


@pytest.mark.parametrize("form", ["rollback", "promotion"])
@pytest.mark.parametrize("given", [(), ("",), (None,)])
def test_a_reason_is_required(form: str, given: tuple[object, ...]) -> None:
    with pytest.raises(ParamValidationError):
        FORMS[form]["reason"].resolve(*given)
    assert FORMS[form]["reason"].resolve("too many alarms") == "too many alarms"


@pytest.mark.parametrize(("form", "field"), [("rollback", "to"), ("promotion", "version")])
def test_a_version_is_optional_and_a_positive_number(form: str, field: str) -> None:
    version = FORMS[form][field]
    assert (version.resolve(), version.resolve(None), version.resolve(3)) == (None, None, 3)
    for value in (0, -1, "previous", 1.5):
        with pytest.raises(ParamValidationError):
            version.resolve(value)


def test_a_promotion_goes_to_production_by_default() -> None:
    assert FORMS["promotion"]["environment"].resolve() == "production"
    assert FORMS["promotion"]["environment"].resolve("staging_2") == "staging_2"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_form_of_a_promotion_refuses_a_name_that_no_connection_can_have(name: str) -> None:
    with pytest.raises(ParamValidationError):
        FORMS["promotion"]["environment"].resolve(name)


def test_a_pull_needs_no_input() -> None:
    assert forms.named_range(values(FORMS["pull"])) is None
    blank = {"partition": " ", "start": "", "end": None, "reason": None}
    assert forms.named_range(blank) is None


def test_a_pull_reads_a_range_again_if_one_is_named() -> None:
    form = {"partition": " 0 ", "start": "100", "end": "", "reason": "withdrawn by mistake"}
    assert forms.named_range(form) == ("0", "100", "")
    assert forms.named_range({"partition": None, "start": None, "end": None, "reason": "all of it"}) == ("", "", "")


def test_a_check_takes_all_new_rows_unless_a_window_is_named() -> None:
    assert forms.monitor_options(values(FORMS["monitoring"])) == {
        "length": None, "reference": "training set", "is_dry": False
    }  # fmt: skip
    form = {"window": "7d", "reference": "training set", "dry_run": True}
    assert forms.monitor_options(form)["length"] == timedelta(days=7)
    with pytest.raises(ParamValidationError):
        FORMS["monitoring"]["window"].resolve("last week")


def test_a_season_of_the_yaml_is_the_default_reference() -> None:
    seasonal = forms.monitoring(AUTO.model_copy(update={"monitor": Monitor(season="52w")}))
    assert seasonal["reference"].resolve() == "same season"
    with pytest.raises(ParamValidationError):
        FORMS["monitoring"]["reference"].resolve("same season")


def test_the_field_for_a_version_links_to_the_lists_of_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME_URL", "http://localhost:8501")
    monkeypatch.setenv("MLFLOW_URL", "http://localhost:5000/")
    for field in (forms.rollback("us_flights")["to"], forms.promotion("us_flights")["version"]):
        shown = field.schema["description_md"]
        assert "[their scores and decisions](http://localhost:8501/models?dataset=us_flights)" in shown
        assert "[MLflow](http://localhost:5000/#/models/us_flights)" in shown
    for name in ("HOME_URL", "MLFLOW_URL"):
        monkeypatch.delenv(name)
    assert forms.rollback("auto")["to"].schema["description_md"] == forms.rollback("auto")["to"].description
