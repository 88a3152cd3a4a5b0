"""A user's day by mouse and keyboard: every screen that the platform has, in a headless Chromium.

`make screens` keeps the pictures for the README. The tests build on each other, in the order of the file.
"""

import csv
import re
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Page, expect

from stack.airflow_api import Airflow
from stack.config import Config
from stack.servers import adminer
from tests.browser.conftest import missing
from tests.browser.consoles import CONSOLES, Console
from tests.end_to_end.conftest import TRAINING, airflow, eventually, mlflow  # noqa: F401 – fixtures

pytestmark = [pytest.mark.servers, pytest.mark.browser]

SAMPLES = Path(__file__).resolve().parents[2] / "minio" / "samples"
RUN = f"by_hand_{time.time_ns()}"


def url(stack: Config, screen: str) -> str:
    return next(s.url for s in stack.screens() if s.name == screen)


@pytest.fixture
def console(page: Page, stack: Config) -> Console:
    return CONSOLES[stack.s3_server](page, stack)


def drop(page: Page, console: Console, bucket: str, sample: str, name: str) -> None:
    """Upload a file in the bucket console, and wait until it has left the inbox."""
    console.upload(bucket, name, SAMPLES / sample)
    stem = name.removesuffix(".csv")
    deadline = time.monotonic() + 600
    while console.files(bucket, name) or not console.files(f"{bucket}/processed", stem):
        assert time.monotonic() < deadline, f"{name} was not taken from the bucket {bucket}"
        page.wait_for_timeout(2000)


def choose(page: Page, field: str, option: str) -> None:
    """Choose an option in a field of the trigger form."""
    hidden = page.locator(f"input[name=element_{field}]").first
    hidden.locator("xpath=..").locator("[role=combobox]").click()
    page.get_by_role("option", name=option, exact=True).click()


def test_airflow_lets_the_user_in(page: Page, stack: Config) -> None:
    page.goto(url(stack, "Airflow"))
    page.locator("#username").fill(stack.airflow_admin_user)
    page.locator("#password").fill(stack.airflow_admin_password.get_secret_value())
    page.locator("input[type=submit]").click()
    expect(page.get_by_text("Welcome")).to_be_visible()
    for component in ("MetaDatabase", "Scheduler", "Triggerer", "Dag Processor"):
        expect(page.get_by_text(component)).to_be_visible()


def test_airflows_menu_leads_to_the_other_screens(page: Page, stack: Config, console: Console) -> None:
    page.get_by_role("button", name="Plugins").click()
    for entry, screen in {"MLflow": "MLflow", "Buckets": "Console", "Feast": "Feast", "Adminer": "Adminer"}.items():
        expect(page.get_by_role("menuitem", name=entry)).to_have_attribute("href", url(stack, screen))
    for entry, title in {"MLflow": "MLflow", "Buckets": console.title, "Feast": "Feast", "Adminer": "Adminer"}.items():
        with page.expect_popup() as popup:
            page.get_by_role("menuitem", name=entry).click()
        expect(popup.value).to_have_title(re.compile(title, re.IGNORECASE))
        popup.value.close()
        page.get_by_role("button", name="Plugins").click()


def test_the_dags_are_switched_on_with_a_click(page: Page, stack: Config, picture) -> None:
    page.goto(f"{url(stack, 'Airflow')}/dags?tags=auto", wait_until="networkidle")
    switches = page.get_by_test_id("toggle-pause")
    expect(switches).to_have_count(7)  # ingest, train, test, monitor, rollback, promote, withdraw
    for switch in switches.all():
        if switch.get_attribute("data-state") == "unchecked":
            switch.click()
        expect(switch).to_have_attribute("data-state", "checked")
    picture("airflow-dags")


def test_a_training_file_is_dropped_in_the_bucket_console(page: Page, console: Console) -> None:
    drop(page, console, "train", "train_auto.csv", f"train_auto_{RUN}.csv")


def test_the_runbook_is_shown_with_the_dag(page: Page, stack: Config) -> None:
    page.goto(f"{url(stack, 'Airflow')}/dags/train_auto", wait_until="networkidle")
    page.get_by_test_id("markdown-button").click()
    expect(page.get_by_text("When it fails")).to_be_visible()
    page.keyboard.press("Escape")


def test_train_auto_is_triggered_through_the_form(page: Page, stack: Config, picture) -> None:
    page.goto(f"{url(stack, 'Airflow')}/dags/train_auto", wait_until="networkidle")
    page.get_by_test_id("trigger-dag-button").click()
    dialog = page.locator("[role=dialog][data-state=open]")
    descriptions = (
        "full: every combination",
        "tpe: earlier results",
        "families of models",
        "metric that chooses",
        "Number of parts",
        "in parallel",
    )
    for text in descriptions:
        expect(dialog.get_by_text(text)).to_be_visible()
    choose(page, "grid", "quick")
    dialog.locator("input[name=element_folds]").fill("3")
    picture("airflow-form")
    dialog.get_by_text("Advanced Options").click()
    dialog.locator("input[name=dagRunId]").fill(RUN)
    page.get_by_test_id("trigger-dag-submit").click()
    expect(dialog).to_be_hidden()


def test_its_run_is_seen_to_succeed(page: Page, stack: Config, airflow: Airflow, picture) -> None:  # noqa: F811
    page.goto("about:blank")  # Airflow's pages ask and draw all the time: left open, they take half of the processor
    ended = ("success", "failed")
    eventually(lambda: airflow.run("train_auto", RUN)["state"] in ended, "the run ends", TRAINING)
    page.goto(f"{url(stack, 'Airflow')}/dags/train_auto/runs/{RUN}", wait_until="networkidle")
    expect(page.get_by_role("heading", name=RUN).locator("xpath=..")).to_contain_text("Success")
    picture("airflow-run")


def test_mlflow_shows_every_candidate(page: Page, stack: Config, picture) -> None:
    page.goto(f"{url(stack, 'MLflow')}/#/experiments")
    page.get_by_text("Model training", exact=True).click()
    page.get_by_role("button", name="Close", exact=True).click()  # the assistant
    page.get_by_role("link", name="auto", exact=True).first.click()
    newest = page.get_by_role("link", name=re.compile(r"^auto [0-9a-f]{8}$")).first
    newest.locator("xpath=ancestor::*[@role='gridcell'][1]//button").first.click()
    for candidate in ("logistic_regression", "random_forest", "hist_gradient_boosting"):
        expect(page.get_by_text(candidate).first).to_be_visible()
    picture("mlflow-candidates")


def test_mlflow_compares_the_best_of_each_estimator_by_a_link(
    page: Page, stack: Config, mlflow: MlflowClient  # noqa: F811
) -> None:  # fmt: skip
    experiment = mlflow.get_experiment_by_name("auto")
    newest = {"max_results": 1, "order_by": ["start_time DESC"]}
    (search,) = mlflow.search_runs([experiment.experiment_id], "tags.kind = 'search'", **newest)
    page.goto(f"{url(stack, 'MLflow')}/#/experiments/{experiment.experiment_id}/runs/{search.info.run_id}")
    page.goto(page.get_by_role("link", name="compare their runs").first.get_attribute("href"))
    expect(page.get_by_text("Comparing 3 Runs from 1 Experiment")).to_be_visible()
    for estimator in ("logistic_regression", "random_forest", "hist_gradient_boosting"):
        expect(page.get_by_text(estimator).first).to_be_visible()


def test_mlflow_names_the_champion(page: Page, stack: Config, picture) -> None:
    page.goto(f"{url(stack, 'MLflow')}/#/models/auto")
    expect(page.get_by_text("champion").first).to_be_visible()
    picture("mlflow-model")


def test_a_version_leads_to_its_model_card(page: Page, stack: Config, mlflow: MlflowClient) -> None:  # noqa: F811
    version = mlflow.get_model_version_by_alias("auto", "champion").version
    page.goto(f"{url(stack, 'MLflow')}/#/models/auto/versions/{version}")
    href = page.get_by_role("link", name="Model card", exact=True).get_attribute("href")
    assert href.startswith("#/")  # without a host
    page.goto(f"{url(stack, 'MLflow')}/{href}")
    card = page.frame_locator("iframe")
    for part in ("Metrics", "Limits", "How to roll back"):
        expect(card.get_by_role("heading", name=part)).to_be_visible()


def test_feast_shows_the_entity_the_view_and_its_fields(page: Page, stack: Config, picture) -> None:
    page.goto(f"{url(stack, 'Feast')}/p/ml_platform/entity", wait_until="networkidle")
    expect(page.get_by_role("link", name="customer")).to_be_visible()
    page.goto(f"{url(stack, 'Feast')}/p/ml_platform/feature-view", wait_until="networkidle")
    page.get_by_role("link", name="auto", exact=True).click()
    for field in ("INCOME", "URBANICITY", "CAR_AGE"):
        expect(page.get_by_text(field).first).to_be_visible()
    picture("feast-view")


def test_a_file_is_scored_and_its_result_downloaded(page: Page, console: Console, picture, tmp_path: Path) -> None:
    drop(page, console, "test", "test_auto.csv", f"test_auto_{RUN}.csv")
    names = console.files("result/auto", RUN)
    (result,) = [name for name in names if re.fullmatch(rf"test_auto_{RUN}\..*\.csv", name)]
    picture("console-result")
    console.download("result/auto", result).save_as(tmp_path / result)
    rows = list(csv.DictReader((tmp_path / result).read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 2141
    assert list(rows[0]) == ["INDEX", "probability", "prediction", "model_version", "threshold"]


def test_adminer_shows_a_table(page: Page, stack: Config, picture) -> None:
    if not adminer.is_installed(stack):
        missing("Adminer", adminer.REMEDY)
    page.goto(url(stack, "Adminer"))
    page.locator('input[name="auth[password]"]').fill(stack.reader_db_password.get_secret_value())
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_role("heading", name="Select: ledger")).to_be_visible()  # the files that came in
    page.locator('select[name="ns"]').select_option("features")
    page.get_by_role("link", name="select").first.click()
    expect(page.get_by_role("heading", name="Select: auto")).to_be_visible()
    expect(page.get_by_role("link", name="INCOME").first).to_be_visible()
    picture("adminer-table")
