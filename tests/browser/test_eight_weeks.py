"""Eight weeks in minutes: drift is seen in its week, labels confirm the loss, a person lets the next model go live.

The tests build on each other, in the order of the file.
"""

import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Page, expect

from stack.airflow_api import Airflow
from stack.config import Config, load
from tests.browser.test_approving import log_in
from tests.conftest import bring_up, fresh_config
from tests.end_to_end import borrowers
from tests.end_to_end.borrowers import NAME, WEEKS
from tests.end_to_end.conftest import airflow, buckets, eventually, mlflow, query  # noqa: F401 – fixtures
from tests.ml_platform.alerts.conftest import Webhook

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.prove]

ALERTS = """\
kind: platform
alerts:
  channels: {chat: {kind: url, url_variable: ALERTS_URL}}
  events: [drift, performance]
"""
Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def webhook() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.posts, server.is_away = [], False  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def stack(webhook: Any) -> Iterator[Config]:
    """A stack of its own, with alerts."""
    with fresh_config() as config:
        (config.datasets_dir / "platform.yaml").write_text(ALERTS, encoding="utf-8")
        (config.datasets_dir / f"{NAME}.yaml").write_text(borrowers.SPEC, encoding="utf-8")
        with config.env_file.open("a", encoding="utf-8") as env:
            env.write(f"ALERTS_URL=json://127.0.0.1:{webhook.server_port}/hook\n")
        yield bring_up(load(config.env_file), [])


def subjects(webhook: Any) -> list[str]:
    return [post["title"] for post in webhook.posts]


def texts(webhook: Any) -> list[str]:
    """Return the messages whole: one about several causes names them in its text only."""
    return [f"{post['title']}\n{post['message']}" for post in webhook.posts]


def verdicts(query: Query, kind: str) -> list[tuple[int, str]]:  # noqa: F811
    """Return version and verdict of each check, in the order of time."""
    sql = "SELECT model_version, verdict FROM monitoring.checks WHERE dataset = %s AND kind = %s ORDER BY window_end"
    return query(sql, NAME, kind)


def idle(airflow: Airflow) -> bool:  # noqa: F811
    """Tell whether no training and no check is running."""
    runs = airflow.runs(f"train_{NAME}") + airflow.runs(f"monitor_{NAME}")
    assert not [run for run in runs if run["state"] == "failed"]
    return not [run for run in runs if run["state"] in ("queued", "running")]


def training_states(airflow: Airflow) -> set[str]:  # noqa: F811
    """Return the states of the tasks of all trainings."""
    dag_id = f"train_{NAME}"
    return {task.state for run in airflow.runs(dag_id) for task in airflow.tasks(dag_id, run["dag_run_id"])}


def test_the_first_model_goes_live(airflow: Airflow, buckets: Any, mlflow: MlflowClient, stack: Config) -> None:  # noqa: F811
    dags = [f"{verb}_{NAME}" for verb in ("ingest", "train", "test", "monitor")]
    eventually(lambda: set(dags) <= set(airflow.dags()), "Airflow knows the DAGs")
    for dag_id in dags:
        airflow.unpause(dag_id)
    buckets.put("train", f"train_{NAME}_before.csv", borrowers.training_file(0))
    found = f"name = '{NAME}'"
    eventually(lambda: [one for one in mlflow.search_model_versions(found) if one.tags.get("decision")], "a decision")
    eventually(lambda: idle(airflow), "all is done")


def test_drift_is_seen_in_its_weeks_and_the_all_clear_comes(
    airflow: Airflow, buckets: Any, query: Query, webhook: Any  # noqa: F811
) -> None:  # fmt: skip
    for week in WEEKS:
        buckets.put("test", f"test_{NAME}_{week}.csv", borrowers.test_file(week))
        eventually(lambda week=week: len(verdicts(query, "drift")) == week, f"the check of week {week}")
        eventually(lambda: idle(airflow), "it is decided what follows")
    expected = ["drift" if week in borrowers.LOW_INCOMES else "no drift" for week in WEEKS]
    assert verdicts(query, "drift") == [(1, verdict) for verdict in expected]
    drift = [f"[ML platform] Drift – {NAME}", f"[ML platform] Over: Drift – {NAME}"]
    eventually(lambda: set(drift) <= set(subjects(webhook)), "the alert about drift, and its all-clear")
    sql = "SELECT DISTINCT is_started, reason FROM monitoring.retrainings WHERE dataset = %s AND cause = 'drift'"
    assert query(sql, NAME) == [(False, "no rows were loaded since the last training, so its model would be the same")]


def test_labels_confirm_the_loss_and_a_retraining_is_proposed(
    airflow: Airflow, buckets: Any, query: Query, webhook: Any, page: Page, stack: Config  # noqa: F811
) -> None:  # fmt: skip
    airflow.pause(f"ingest_{NAME}")
    for week in WEEKS:
        buckets.put("train", f"train_{NAME}_{week}.csv", borrowers.training_file(week))
    airflow.unpause(f"ingest_{NAME}")
    eventually(lambda: (1, "below the promise") in verdicts(query, "performance"), "the loss is confirmed")
    (since,) = query(
        "SELECT DISTINCT one ->> 'since' FROM monitoring.checks, jsonb_array_elements(figures -> 'mistakes') one"
        " WHERE kind = 'performance' AND (one ->> 'is_broken')::boolean AND dataset = %s ORDER BY 1 LIMIT 1",
        NAME,
    )
    assert "2026-03-20" < since[0] < "2026-04-10"
    eventually(lambda: "awaiting_input" in training_states(airflow), "Airflow asks a person")
    log_in(page, stack)
    page.goto(f"{stack.airflow_url}/required_actions", wait_until="networkidle")
    expect(page.get_by_role("link", name=f"{NAME}: may version 2 go live?")).to_be_visible()
    eventually(lambda: any("below" in one for one in subjects(webhook)), "the alert about the performance")


def test_a_person_approves_and_it_goes_live(page: Page, mlflow: MlflowClient, airflow: Airflow) -> None:  # noqa: F811
    page.get_by_role("link", name=f"{NAME}: may version 2 go live?").click()
    page.get_by_role("button", name="Approve").click()
    eventually(lambda: mlflow.get_model_version_by_alias(NAME, "champion").version == "2", "version 2 is live")
    expect(page.get_by_text("Response received").first).to_be_visible()


def test_the_new_model_is_as_promised_and_the_all_clear_comes(
    buckets: Any, query: Query, webhook: Any, airflow: Airflow  # noqa: F811
) -> None:  # fmt: skip
    week = WEEKS.stop
    eventually(lambda: idle(airflow), "the training and the checks are done")
    buckets.put("test", f"test_{NAME}_{week}.csv", borrowers.test_file(week))
    eventually(lambda: (2, "as promised") in verdicts(query, "estimated performance"), "the estimate for version 2")
    buckets.put("train", f"train_{NAME}_{week}.csv", borrowers.training_file(week))
    eventually(lambda: (2, "as promised") in verdicts(query, "performance"), "the truth about version 2")
    eventually(lambda: any("Over: " in one and "below" in one for one in texts(webhook)), "the all-clear")
