"""A model that must be approved: a no in Airflow, a yes and a rollback on the home page, and who said so.

The tests build on each other, in the order of the file.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from playwright.sync_api import Browser, Page, expect

from stack.airflow_api import Airflow
from stack.config import Config
from tests.browser import home
from tests.end_to_end.conftest import airflow, buckets, eventually, mlflow, query  # noqa: F401 – fixtures

pytestmark = [pytest.mark.servers, pytest.mark.browser]

ROOT = Path(__file__).resolve().parents[2]
TRAINING = "train_divers"
Query = Callable[..., list[tuple[Any, ...]]]


def states(airflow: Airflow, run_id: str) -> dict[str, str]:  # noqa: F811
    return {task.task_id: task.state for task in airflow.tasks(TRAINING, run_id)}


def waits(airflow: Airflow, run_id: str) -> bool:  # noqa: F811
    found = states(airflow, run_id)
    assert "failed" not in found.values()
    return found.get("approval") == "awaiting_input"


@pytest.fixture(scope="module")
def runs(stack: Config, airflow: Airflow, buckets: Any) -> Iterator[list[str]]:  # noqa: F811
    """Two trainings of `penguins` under another name, with a tiny grid, that both wait for a person."""
    said = (ROOT / "datasets" / "penguins.yaml").read_text(encoding="utf-8").partition("\nsearch:")[0]
    said = said.replace("name: penguins", "name: divers")
    said += "\nsearch: {folds: 2, jobs: 1, candidates: {logistic_regression: {}}}\ngate: {approval: true}\n"
    path = stack.datasets_dir / "divers.yaml"
    path.write_text(said, encoding="utf-8")
    dags = {"ingest_divers", TRAINING}
    eventually(lambda: dags <= set(airflow.dags()), "Airflow knows the new DAGs")
    for dag_id in dags:
        airflow.unpause(dag_id)
    buckets.put("train", "train_divers.csv", (ROOT / "minio" / "samples" / "train_penguins.csv").read_bytes())
    (run,) = eventually(lambda: airflow.runs(TRAINING), "the new rows start a training")
    found = [run["dag_run_id"], airflow.trigger(TRAINING, {"on_behalf_of": "somebody else"})]
    for run_id in found:
        eventually(lambda run_id=run_id: waits(airflow, run_id), f"{run_id} waits for a person", 1800)
    yield found
    path.unlink()


def log_in(page: Page, stack: Config) -> None:
    page.goto(stack.airflow_url)
    page.locator("#username").fill(stack.airflow_admin_user)
    page.locator("#password").fill(stack.airflow_admin_password.get_secret_value())
    page.locator("input[type=submit]").click()
    expect(page.get_by_text("Welcome")).to_be_visible()


def open_question(page: Page, stack: Config, version: int) -> None:
    page.goto(f"{stack.airflow_url}/required_actions", wait_until="networkidle")
    page.get_by_role("link", name=f"divers: may version {version} go live?").click()


def test_required_actions_ask_with_the_card(page: Page, stack: Config, runs: list[str], picture) -> None:
    log_in(page, stack)
    open_question(page, stack, 1)
    expect(page.get_by_role("heading", name="divers: waits for approval")).to_be_visible()
    expect(page.get_by_role("row", name="F1 of the challenger")).to_contain_text(re.compile(r"0\.\d{4}|1\.0000"))
    expect(page.get_by_role("link", name="Its run", exact=True)).to_have_attribute(
        "href", re.compile("/#/experiments/")
    )
    expect(page.get_by_role("link", name="Its model card")).to_have_attribute(
        "href", re.compile(r"/#/experiments/\d+/runs/\w+/artifacts/model_card\.html$")
    )
    for answer in ("Approve", "Reject"):
        expect(page.get_by_role("button", name=answer)).to_be_enabled()
    picture("airflow-approval")


def test_a_no_keeps_the_old_one_and_is_on_record(
    page: Page, stack: Config, runs: list[str], airflow: Airflow, mlflow: MlflowClient, query: Query  # noqa: F811
) -> None:  # fmt: skip
    page.get_by_role("button", name="Reject").click()
    eventually(lambda: airflow.run(TRAINING, runs[0])["state"] == "success", "the run ends green")
    assert states(airflow, runs[0])["promote"] == "skipped"
    sql = "SELECT decision, approval, answered_by FROM models.decisions WHERE model = 'divers'"
    assert query(sql) == [("kept", "rejected", stack.airflow_admin_user)]
    with pytest.raises(MlflowException, match="champion"):
        mlflow.get_model_version_by_alias("divers", "champion")


@pytest.mark.prove
def test_without_an_answer_in_time_the_old_one_stays(
    stack: Config, runs: list[str], airflow: Airflow, query: Query  # noqa: F811
) -> None:  # fmt: skip
    path = stack.datasets_dir / "divers.yaml"
    said = path.read_text(encoding="utf-8")
    path.write_text(said.replace("approval: true", "approval: true, approval_within: 20s"), encoding="utf-8")
    run_id = airflow.trigger(TRAINING)
    eventually(lambda: airflow.run(TRAINING, run_id)["state"] == "success", "the run ends by itself")
    path.write_text(said, encoding="utf-8")
    found = query(
        "SELECT decision, approval, answered_by, reason FROM models.decisions WHERE model = 'divers' AND version = 3"
    )
    assert [row[:3] for row in found] == [("kept", "no answer", None)]
    assert found[0][3].startswith("no answer within 20s")


def test_a_yes_on_the_home_page_lets_it_live_and_the_history_names_who_said_it(
    page: Page, stack: Config, runs: list[str], airflow: Airflow, mlflow: MlflowClient, query: Query  # noqa: F811
) -> None:  # fmt: skip
    home.log_in(page, stack, "olga")
    home.visit(page, stack, "models?dataset=divers")
    expect(page.get_by_role("heading", name="A version waits for your decision")).to_be_visible()
    expect(page.get_by_text("divers: may version 2 go live?")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("A reason is needed")).to_be_visible()
    page.get_by_label("Reason").fill("as good as it gets")
    page.get_by_label("Reason").press("Enter")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("It was approved: the version goes live now.")).to_be_visible()
    eventually(lambda: airflow.run(TRAINING, runs[1])["state"] == "success", "the run ends")
    assert mlflow.get_model_version_by_alias("divers", "champion").version == "2"
    sql = "SELECT version, moved_by, approved_by, approved_at <= valid_from FROM models.history WHERE model = 'divers'"
    ((version, moved_by, approved_by, moments),) = query(sql)
    assert (version, moved_by, approved_by, moments) == (2, stack.airflow_admin_user, "olga", True)
    page.goto(f"{stack.airflow_url}/required_actions", wait_until="networkidle")
    for version, received in {1: "Rejection Received", 2: "Approval Received"}.items():
        row = page.get_by_role("row").filter(has_text=f"divers: may version {version} go live?")
        expect(row).to_contain_text(received)


def test_a_rollback_on_the_home_page_says_what_would_change_and_needs_a_reason(
    page: Page, stack: Config, runs: list[str], mlflow: MlflowClient, query: Query, picture  # noqa: F811
) -> None:  # fmt: skip
    home.visit(page, stack, "models?dataset=divers")
    page.get_by_role("button", name="Roll back").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox", name="Version to roll back to")).to_be_visible()
    dialog.get_by_label("Reason").fill("too many alarms")
    dialog.get_by_label("Reason").press("Enter")
    picture("home-rollback")
    dialog.get_by_role("button", name="Make version 1 live").click()
    expect(page.get_by_text("Version 1 of divers is live; version 2 was before.")).to_be_visible()
    assert mlflow.get_model_version_by_alias("divers", "champion").version == "1"
    sql = "SELECT moved_by, why, reason FROM models.history WHERE model = 'divers' AND valid_to IS NULL"
    assert query(sql) == [("olga", "rollback", "too many alarms")]
    actions = "SELECT person, action, problem FROM home.actions WHERE dataset = 'divers' ORDER BY action_id"
    assert query(actions) == [("olga", "approve the version", None), ("olga", "roll back the model", None)]


def test_a_viewer_sees_the_same_and_can_do_nothing(
    chromium: Browser, page: Page, stack: Config, runs: list[str]
) -> None:
    """Two people at once: the operator's page stays as it is."""
    context = chromium.new_context()
    other = context.new_page()
    home.log_in(other, stack, "victor")
    home.visit(other, stack, "models?dataset=divers")
    for name in ("Train again", "Roll back", "Promote to another environment"):
        expect(other.get_by_role("button", name=name)).to_be_disabled()
    expect(other.get_by_text("victor · viewer")).to_be_visible()
    home.visit(page, stack, "models?dataset=divers")
    expect(page.get_by_role("button", name="Roll back")).to_be_enabled()
    expect(page.get_by_text("olga · operator")).to_be_visible()
    context.close()
