"""A model that must be approved: the card in Airflow, a no and a yes by mouse, and who said so in the history.

The tests build on each other, in the order of the file.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from playwright.sync_api import Page, expect

from stack.airflow_api import Airflow
from stack.config import Config
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


def test_a_yes_lets_it_live_and_the_history_names_who_said_it(
    page: Page, stack: Config, runs: list[str], airflow: Airflow, mlflow: MlflowClient, query: Query  # noqa: F811
) -> None:  # fmt: skip
    open_question(page, stack, 2)
    page.get_by_role("button", name="Approve").click()
    eventually(lambda: airflow.run(TRAINING, runs[1])["state"] == "success", "the run ends")
    assert mlflow.get_model_version_by_alias("divers", "champion").version == "2"
    admin = stack.airflow_admin_user
    ((version, moved_by, approved_by, moments),) = query(
        "SELECT version, moved_by, approved_by, approved_at <= valid_from FROM models.history WHERE model = 'divers'"
    )
    assert (version, moved_by, approved_by, moments) == (2, admin, admin, True)
    page.goto(f"{stack.airflow_url}/required_actions", wait_until="networkidle")
    for version, received in {1: "Rejection Received", 2: "Approval Received"}.items():
        row = page.get_by_role("row").filter(has_text=f"divers: may version {version} go live?")
        expect(row).to_contain_text(received)
