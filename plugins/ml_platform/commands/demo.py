"""`ml-platform demo`: from nothing to a model and its predictions, by the same DAGs that a user switches on.

`make demo DATASET=flights` runs `ml-platform demo flights`. The demo does what a user does, through Airflow, the
buckets, MLflow and HTTP, so it works wherever the servers run.

Exit codes: 0 success; 1 a stage failed, named with its task and its log; 130 interrupted.
"""

import io
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
from mlflow.entities.model_registry import ModelVersion
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel

from ml_platform.commands.demo_display import card_table, progress_note, task_table, times_line
from ml_platform.commands.samples import first_row, sample
from ml_platform.exceptions import PlatformError
from ml_platform.ingestion import report_files
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.promotion.training_card import read_card
from ml_platform.registry import registry
from ml_platform.scoring import batch
from ml_platform.scoring.result_files import read_rows
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.training import tracking
from stack.airflow_api import Airflow, AirflowError, TaskState
from stack.config import Config, load
from stack.errors import StackError
from stack.target import runner
from stack.terminal import interrupt_on_terminate, show_screens

FOLDERS = ("processed", "rejected")
TIMEOUT = timedelta(minutes=15)  # of one stage
ATTEMPTS = 3  # the demo stops at a task that failed this often, though Airflow would go on trying
T = TypeVar("T")


class DemoError(Exception):
    """A stage of the demo failed; the text names the stage, the task and its log."""


class Demo:
    """The demo on one running stack."""

    def __init__(self, config: Config, console: Console, name: str = "auto") -> None:
        """Log in to Airflow."""
        self.config, self.console = config, console
        self.dataset: Dataset = dataset(name)
        password = config.airflow_admin_password.get_secret_value()
        self.airflow = Airflow(config.airflow_url, config.airflow_admin_user, password)

    def run(self) -> None:
        """Load the feature tables, train on the sample, score the sample, and show the results.

        Raises:
            DemoError: a stage failed or took too long.
        """
        self.switch_on()
        for table in self.dataset.tables:
            self.say(report_files.summary(self.upload("train", sample(table.name), f"ingest_{table.name}")))
        self.train()
        self.print_card()
        self.score_file()
        self.score_row(first_row(sample(f"test_{self.dataset.name}")))
        show_screens(self.console, self.config)

    def switch_on(self) -> None:
        """Unpause the data set's DAGs as soon as Airflow has read them."""
        dag_ids = [f"ingest_{table.name}" for table in self.dataset.tables]
        dag_ids += [f"{verb}_{self.dataset.name}" for verb in ("ingest", "train", "test")]
        self.follow("Airflow has read dags/", None, lambda: set(dag_ids) <= set(self.airflow.dags()))
        for dag_id in dag_ids:
            self.airflow.unpause(dag_id)
        self.say(f"switched on: {', '.join(dag_ids)}")

    def train(self) -> None:
        """Upload the training file. Follow its load and, if it has new rows, the training."""
        since = datetime.now(UTC)
        dag_id = f"train_{self.dataset.name}"
        report = self.upload("train", sample(f"train_{self.dataset.name}"), f"ingest_{self.dataset.name}")
        if report["outcome"] == "duplicate":
            self.say("the same bytes were loaded before: nothing is loaded twice")
        else:
            self.say(report_files.summary(report))
        if report["outcome"] == "loaded":
            self.follow("training", dag_id, partial(self.have_succeeded, dag_id, since))
        elif not self.champion():
            self.follow("training", dag_id, partial(self.have_succeeded, dag_id, None))

    def champion(self) -> ModelVersion | None:
        """Return the registered version that is live."""
        return registry.alias_version(self.dataset.name, registry.CHAMPION)

    def have_succeeded(self, dag_id: str, since: datetime | None) -> bool:
        """Return whether there are runs since then, and all have succeeded; None: whether the newest has."""
        runs = self.airflow.runs(dag_id, since) if since else self.airflow.runs(dag_id, limit=1)
        return bool(runs) and all(run["state"] == "success" for run in runs)

    def score_file(self) -> None:
        """Upload the file to be scored; show where the result is, and its first lines."""
        report = self.upload("test", sample(f"test_{self.dataset.name}"), f"test_{self.dataset.name}")
        key = str(report["result_key"])
        rows = read_rows(io.BytesIO(object_store.get(batch.BUCKET, key)), key)
        lines = [",".join(map(str, row)) for row in rows]
        text = "\n".join([*lines[:6], f"… {len(lines) - 6:,} more"])
        self.console.print(Panel(text, title=f"bucket {batch.BUCKET}: {key}", title_align="left", expand=False))

    def score_row(self, row: dict[str, str]) -> None:
        """Request the prediction of one row over HTTP, as a program would, and show the response."""
        token = self.config.serving_token.get_secret_value()
        with httpx.Client(
            base_url=f"{self.config.serving_url}/v1/{self.dataset.name}", headers={"Authorization": f"Bearer {token}"},
            timeout=30, trust_env=False,
        ) as service:  # fmt: skip

            def serves_champion() -> bool:
                champion, response = self.champion(), service.get("/model")
                return bool(response.is_success and champion and response.json()["version"] == int(champion.version))

            self.follow("the HTTP service uses the same model", None, serves_champion)
            response = service.post("/predict", json={"rows": [row]})
        title = f"POST /v1/{self.dataset.name}/predict, with the first of these rows"
        self.console.print(Panel(escape(response.text), title=title, title_align="left", expand=False))
        response.raise_for_status()

    def upload(self, bucket: str, path: Path, dag_id: str) -> UploadReport:
        """Put a sample file into a bucket, as a user would, and follow the DAG until there is a report on it.

        Raises:
            DemoError: it was rejected.
        """
        earlier = report_keys(bucket, path)
        object_store.client().put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes())
        self.say(f"uploaded {path.name} into the bucket {bucket}")
        report = self.follow(f"{path.name} is processed", dag_id, lambda: new_report(earlier, bucket, path))
        if report["outcome"] == "rejected":
            raise DemoError(f"{path.name} was rejected:\n" + report_files.report_text(report).decode())
        return report

    def follow(self, title: str, dag_id: str | None, result: Callable[[], T | None]) -> T:
        """Show a DAG's newest run until `result` returns something; return that.

        Raises:
            DemoError: a task failed, a DAG file cannot be imported, or the timeout is over.
        """
        deadline = time.monotonic() + TIMEOUT.total_seconds()
        with Live(console=self.console, refresh_per_second=4, transient=True) as live:
            while not (found := result()):
                tasks = self.newest_tasks(dag_id)
                live.update(task_table(title, tasks, self.notes(tasks)))
                self.raise_on_failure(title, tasks, is_late=time.monotonic() > deadline)
                time.sleep(1)
        self.say(times_line(title, self.newest_tasks(dag_id)))
        return found

    def newest_tasks(self, dag_id: str | None) -> list[TaskState]:
        """Return the task instances of a DAG's newest run that has begun."""
        runs = self.airflow.runs(dag_id, limit=1) if dag_id else []
        return self.airflow.tasks(dag_id, runs[-1]["dag_run_id"]) if dag_id and runs else []

    def notes(self, tasks: list[TaskState]) -> dict[str, str]:
        """Return the progress of a search that runs, by task id."""
        if not any(task.task_id == "search" and task.state == "running" for task in tasks):
            return {}
        return {"search": progress_note(tracking.newest_search(self.dataset.name))}

    def raise_on_failure(self, title: str, tasks: list[TaskState], *, is_late: bool) -> None:
        """Raise DemoError, with the stage, the task and its log, if a stage has failed or is late."""
        if errors := self.airflow.import_errors():
            raise DemoError("Airflow cannot import " + "; ".join(errors))
        for task in tasks:
            if task.state == "failed" or (task.state == "up_for_retry" and task.attempt >= ATTEMPTS):
                raise DemoError(f"{title}: task {task.label} failed. Its log: {self.log_url(task)}")
        if is_late:
            last = next((task for task in reversed(tasks) if task.state != "none"), None)
            where = f" It is at task {last.label}; its log: {self.log_url(last)}" if last else ""
            raise DemoError(f"{title}: not done after {TIMEOUT}.{where}")

    def log_url(self, task: TaskState) -> str:
        """Return where Airflow shows a task's log."""
        return f"{self.config.airflow_url}/{task.page}"

    def print_card(self) -> None:
        """Print the card of the champion's training."""
        version = self.champion()
        if version is None:
            last = self.newest_tasks(f"train_{self.dataset.name}")[-1]
            raise DemoError(f"training: no model went live. {self.log_url(last)}")
        self.console.print(card_table(read_card(str(version.run_id))))

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self.console.print(f"[green]✓[/] {text}", highlight=False)


def report_keys(bucket: str, path: Path) -> set[str]:
    """Return the keys of the reports on files of that name that have left the inbox."""
    stem = path.name.partition(".")[0]
    versions = (one for folder in FOLDERS for one in object_store.list_objects(bucket, f"{folder}/{stem}."))
    return {one.key for one in versions if one.key.endswith(".report.json")}


def new_report(earlier: set[str], bucket: str, path: Path) -> UploadReport | None:
    """Return the report on a file, once it has left the inbox; None before.

    Args:
        earlier: what `report_keys` returned before the upload.
        bucket: of the upload.
        path: of the file.
    """
    new = report_keys(bucket, path) - earlier
    if not new or object_store.head(bucket, path.name):
        return None
    report: UploadReport = json.loads(object_store.get(bucket, max(new)))
    return report


def run(name: str) -> int:
    """Start the stack if it is not running, run the demo of a sample, leave the stack running; return the exit code."""
    console = Console()
    interrupt_on_terminate()
    config = load()
    os.environ.update(config.environment())
    platform, started = runner(config), False
    try:
        started = platform.up(config, [], lambda name, event: console.print(f"  {name:<22} {event}", highlight=False))
        console.print("[green]✓[/] the stack is up" if started else "[green]✓[/] the stack was up already")
        Demo(config, console, name).run()
    except (StackError, DemoError, AirflowError, PlatformError, httpx.HTTPError) as error:
        console.print(f"[red]✗[/] {escape(str(error))}", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nInterrupted." + (" Stopping what this command started." if started else ""))
        if started:
            platform.down(config)
        return 130
    return 0
