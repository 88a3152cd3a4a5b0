"""The stages of `ml-platform demo`: from a sample to a model and its predictions, by the DAGs that a user switches on.

The demo does what a user does, through Airflow, the buckets, MLflow and HTTP, so it works wherever the servers run.
"""

import io
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

from ml_platform.commands.demo.display import card_table, progress_note, task_table, times_line
from ml_platform.commands.demo.reports import archived_prefix, new_report, report_keys
from ml_platform.commands.samples import first_row, sample
from ml_platform.ingestion import report_files
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.promotion.training_card import read_card
from ml_platform.registry import registry
from ml_platform.scoring.result_files import read_rows
from ml_platform.scoring.result_keys import BUCKET
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.training import search_progress
from stack.airflow_api import Airflow, TaskState
from stack.config import Config
from stack.terminal import show_screens

TIMEOUT = timedelta(minutes=15)  # of one stage
ATTEMPTS = 3  # the demo stops at a task that failed this often, though Airflow would go on trying
T = TypeVar("T")


class DemoError(Exception):
    """A stage of the demo failed; the text names the stage, the task and its log."""


class Demo:
    """The demo on one running stack."""

    def __init__(self, config: Config, console: Console, name: str = "auto", sample_name: str = "") -> None:
        """Log in to Airflow.

        Args:
            config: of the stack.
            console: where the demo is shown.
            name: of the data set.
            sample_name: of its sample; by default the same.
        """
        self.config, self.console = config, console
        self.dataset: Dataset = dataset(name, config.datasets_dir)
        self.sample_name = sample_name or name
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
        self.score_row(first_row(self.sample_file("test")))
        show_screens(self.console, self.config)

    def switch_on(self) -> None:
        """Unpause the data set's DAGs as soon as Airflow has read them."""
        dag_ids = self.dag_ids()
        self.follow("Airflow has read dags/", None, lambda: set(dag_ids) <= set(self.airflow.dags()))
        for dag_id in dag_ids:
            self.airflow.unpause(dag_id)
        self.say(f"switched on: {', '.join(dag_ids)}")

    def dag_ids(self) -> list[str]:
        """Return the DAGs that the demo uses."""
        tables = [f"ingest_{table.name}" for table in self.dataset.tables]
        return tables + [f"{verb}_{self.dataset.name}" for verb in ("ingest", "train", "test")]

    def sample_file(self, purpose: Purpose) -> Path:
        """Return the sample's file for the bucket `purpose`."""
        return sample(f"{purpose}_{self.sample_name}")

    def train(self) -> None:
        """Upload the training file. Follow its load and, if it has new rows, the training."""
        since = datetime.now(UTC)
        report = self.upload("train", self.sample_file("train"), f"ingest_{self.dataset.name}")
        self.say_loaded(report)
        self.follow_training(since if report["outcome"] == "loaded" else None)

    def say_loaded(self, report: UploadReport) -> None:
        """Say what became of a file with training rows."""
        if report["outcome"] == "duplicate":
            self.say("the same bytes were loaded before: nothing is loaded twice")
        else:
            self.say(report_files.summary(report))

    def follow_training(self, since: datetime | None) -> None:
        """Follow the trainings since then; None: the newest, if there is no champion yet."""
        dag_id = f"train_{self.dataset.name}"
        if since or not self.champion():
            self.follow("training", dag_id, partial(self.have_succeeded, dag_id, since))

    def champion(self) -> ModelVersion | None:
        """Return the registered version that is live."""
        return registry.alias_version(self.dataset.name, registry.CHAMPION)

    def have_succeeded(self, dag_id: str, since: datetime | None) -> bool:
        """Return whether there are runs since then, and all have succeeded; None: whether the newest has."""
        runs = self.airflow.runs(dag_id, since) if since else self.airflow.runs(dag_id, limit=1)
        return bool(runs) and all(run["state"] == "success" for run in runs)

    def score_file(self) -> None:
        """Upload the file to be scored; show where the result is, and its first lines."""
        path = self.sample_file("test")
        object_key = path.name.replace(self.sample_name, self.dataset.name)
        report = self.upload("test", path, f"test_{self.dataset.name}", object_key)
        key = str(report["result_key"])
        rows = read_rows(io.BytesIO(object_store.get(BUCKET, key)), key)
        lines = [",".join(map(str, row)) for row in rows]
        text = "\n".join([*lines[:6], f"… {len(lines) - 6:,} more"])
        self.console.print(Panel(text, title=f"bucket {BUCKET}: {key}", title_align="left", expand=False))

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

    def upload(self, bucket: str, path: Path, dag_id: str, object_key: str = "") -> UploadReport:
        """Put a sample file into a bucket, as a user would, and follow the DAG until there is a report on it.

        Args:
            bucket: to which it goes.
            path: of the file.
            dag_id: of the DAG that takes it.
            object_key: in the bucket; by default the file's name.

        Raises:
            DemoError: it was rejected.
        """
        key = object_key or path.name
        earlier = report_keys(bucket, archived_prefix(key))
        object_store.client().put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        self.say(f"uploaded {key} into the bucket {bucket}")
        return accepted(self.follow(f"{key} is processed", dag_id, lambda: new_report(earlier, bucket, key)))

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
        return {"search": progress_note(search_progress.newest_search(self.dataset.name))}

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


def accepted(report: UploadReport) -> UploadReport:
    """Return the report on a file.

    Raises:
        DemoError: the file was rejected.
    """
    if report["outcome"] == "rejected":
        raise DemoError(f"{report['key']} was rejected:\n{report_files.report_text(report).decode()}")
    return report
