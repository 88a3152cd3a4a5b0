"""`ml-platform demo`: from nothing to a model and its predictions, by the same DAGs that a user switches on.

`make demo DATASET=flights` runs `ml-platform demo flights`. It does what a user does, through Airflow, the buckets and
MLflow, so it is the same wherever the servers run.

Exit codes: 0 success; 1 a stage failed, named with its task and its log; 130 interrupted.
"""

import csv
import gzip
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
from rich.table import Table

from ml_platform import ROOT
from ml_platform.exceptions import PlatformError
from ml_platform.ingestion import report_files
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.promotion.results import TrainingCard
from ml_platform.promotion.training_card import read_card
from ml_platform.registry import registry
from ml_platform.scoring import batch
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.training import tracking
from stack.airflow_api import Airflow, AirflowError, TaskState
from stack.config import Config, load
from stack.errors import StackError
from stack.target import runner
from stack.terminal import interrupt_on_terminate, show_screens

SAMPLES = ROOT / "minio" / "samples"
FOLDERS = ("processed", "rejected")
PATIENCE = timedelta(minutes=15)
ATTEMPTS = 3  # a task that failed this often is reported, though Airflow would go on trying
COLOURS = {"success": "green", "running": "cyan", "failed": "red", "deferred": "blue", "up_for_retry": "yellow"}
T = TypeVar("T")


class DemoError(Exception):
    """A stage of the demo did not end well; the text names the stage, the task and its log."""


class Demo:
    """The demo on one running stack."""

    def __init__(self, config: Config, console: Console, name: str = "auto") -> None:
        """Log in to Airflow."""
        self.config, self.console = config, console
        self.dataset: Dataset = dataset(name)
        password = config.airflow_admin_password.get_secret_value()
        self.airflow = Airflow(config.airflow_url, config.airflow_admin_user, password)

    def run(self) -> None:
        """Load the tables that features come from, train on the sample, score the sample, show what came out.

        Raises:
            DemoError: a stage failed or took too long.
        """
        self.switch_on()
        for table in self.dataset.tables:
            self.say(report_files.summary(self.drop("train", sample(table.name), f"ingest_{table.name}")))
        self.train()
        self.print_card()
        self.test()
        self.ask(first_row(sample(f"test_{self.dataset.name}")))
        show_screens(self.console, self.config)

    def switch_on(self) -> None:
        """Unpause the data set's DAGs as soon as Airflow has read them."""
        wanted = [f"ingest_{table.name}" for table in self.dataset.tables]
        wanted += [f"{verb}_{self.dataset.name}" for verb in ("ingest", "train", "test")]
        self.watch("Airflow has read dags/", None, lambda: set(wanted) <= set(self.airflow.dags()))
        for dag_id in wanted:
            self.airflow.unpause(dag_id)
        self.say(f"switched on: {', '.join(wanted)}")

    def train(self) -> None:
        """Drop the training file; follow its load and, if it brought rows, the training."""
        since = datetime.now(UTC)
        dag_id = f"train_{self.dataset.name}"
        arrival = self.drop("train", sample(f"train_{self.dataset.name}"), f"ingest_{self.dataset.name}")
        if arrival["outcome"] == "duplicate":
            self.say("the very same bytes were loaded before: nothing is loaded twice")
        else:
            self.say(report_files.summary(arrival))
        if arrival["outcome"] == "loaded" or not self.champion():
            self.watch("training", dag_id, partial(self.succeeded, dag_id, since))

    def champion(self) -> ModelVersion | None:
        """Return the registered version that is live."""
        return registry.alias_version(self.dataset.name, registry.CHAMPION)

    def succeeded(self, dag_id: str, since: datetime) -> bool:
        """Tell whether a run that began since then has succeeded, or an earlier one is the newest and has."""
        runs = self.airflow.runs(dag_id, since) or self.airflow.runs(dag_id, limit=1)
        return bool(runs) and all(run["state"] == "success" for run in runs)

    def test(self) -> None:
        """Drop the file to be scored; show the first lines of the result and where it lies."""
        arrival = self.drop("test", sample(f"test_{self.dataset.name}"), f"test_{self.dataset.name}")
        key = str(arrival["result_key"])
        lines = object_store.get(batch.BUCKET, key).decode().splitlines()
        shown = "\n".join([*lines[:6], f"… {len(lines) - 6:,} more"])
        self.console.print(Panel(shown, title=f"bucket {batch.BUCKET}: {key}", title_align="left", expand=False))

    def ask(self, row: dict[str, str]) -> None:
        """Ask for the prediction of one row over HTTP, as a program would, and show the answer."""
        bearer = f"Bearer {self.config.serving_token.get_secret_value()}"
        with httpx.Client(
            base_url=f"{self.config.serving_url}/v1/{self.dataset.name}", headers={"Authorization": bearer},
            timeout=30, trust_env=False,
        ) as service:  # fmt: skip

            def follows() -> bool:
                champion, known = self.champion(), service.get("/model")
                return bool(known.is_success and champion and known.json()["version"] == int(champion.version))

            self.watch("predictions over HTTP, by the same model", None, follows)
            answer = service.post("/predict", json={"rows": [row]})
        title = f"POST /v1/{self.dataset.name}/predict, of the first of these rows"
        self.console.print(Panel(escape(answer.text), title=title, title_align="left", expand=False))
        answer.raise_for_status()

    def drop(self, bucket: str, path: Path, dag_id: str) -> UploadReport:
        """Put a sample file into a bucket, as a person would, and follow the DAG until the file is settled.

        Raises:
            DemoError: it was rejected.
        """
        earlier = report_keys(bucket, path)
        object_store.client().put_object(Bucket=bucket, Key=path.name, Body=path.read_bytes())
        self.say(f"dropped {path.name} into the bucket {bucket}")
        settled = self.watch(f"{path.name} is taken", dag_id, lambda: settled_since(earlier, bucket, path))
        if settled["outcome"] == "rejected":
            raise DemoError(f"{path.name} was rejected:\n" + report_files.report_text(settled).decode())
        return settled

    def watch(self, title: str, dag_id: str | None, done: Callable[[], T | None]) -> T:
        """Show a DAG's newest run until `done` answers; return the answer.

        Raises:
            DemoError: a task failed, a DAG file cannot be imported, or patience ended.
        """
        deadline = time.monotonic() + PATIENCE.total_seconds()
        tasks: list[TaskState] = []
        with Live(console=self.console, refresh_per_second=4, transient=True) as live:
            while not (answer := done()):
                tasks = self.newest_tasks(dag_id)
                live.update(self.draw(title, tasks))
                self.check(title, tasks, late=time.monotonic() > deadline)
                time.sleep(1)
        self.print_times(title, self.newest_tasks(dag_id))
        return answer

    def newest_tasks(self, dag_id: str | None) -> list[TaskState]:
        """Return the task instances of a DAG's newest run that has begun."""
        runs = self.airflow.runs(dag_id, limit=1) if dag_id else []
        return self.airflow.tasks(dag_id, runs[-1]["dag_run_id"]) if dag_id and runs else []

    def check(self, title: str, tasks: list[TaskState], *, late: bool) -> None:
        """Raise DemoError if something is wrong, naming the stage, the task and its log."""
        if errors := self.airflow.import_errors():
            raise DemoError("Airflow cannot import " + "; ".join(errors))
        for task in tasks:
            if task.state == "failed" or (task.state == "up_for_retry" and task.attempt >= ATTEMPTS):
                raise DemoError(f"{title}: task {task.label} failed. Its log: {self.log(task)}")
        if late:
            last = next((t for t in reversed(tasks) if t.state != "none"), None)
            where = f" It stands at task {last.label}; its log: {self.log(last)}" if last else ""
            raise DemoError(f"{title}: not done after {PATIENCE}.{where}")

    def log(self, task: TaskState) -> str:
        """Return where Airflow shows a task's log."""
        return f"{self.config.airflow_url}/{task.page}"

    def draw(self, title: str, tasks: list[TaskState]) -> Table:
        """Draw a run: which task, how it stands, how long, how many candidates of how many."""
        table = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 2))
        for task in tasks:
            note = self.progress() if task.task_id == "search" and task.state == "running" else ""
            table.add_row(task.label, f"[{COLOURS.get(task.state, 'dim')}]{task.state}", f"{task.seconds:.0f} s", note)
        return table

    def progress(self) -> str:
        """Say how many candidates of the newest search are done."""
        metrics = tracking.newest_search(self.dataset.name)
        done, total = metrics.get("candidates_done", 0), metrics.get("candidates_total")
        return f"{done:.0f} of {total:.0f} candidates" if total else ""

    def print_times(self, title: str, tasks: list[TaskState]) -> None:
        """Leave one line behind with the tasks' times."""
        worked = [task for task in tasks if task.state == "success" and not task.task_id.startswith("wait_for")]
        times = ", ".join(f"{task.label} {task.seconds:.0f} s" for task in worked)
        self.say(title + (f": {times}" if times else ""))

    def print_card(self) -> None:
        """Print what the training of the champion found."""
        version = self.champion()
        if version is None:
            raise DemoError(
                f"training: no model went live. {self.log(self.newest_tasks(f'train_{self.dataset.name}')[-1])}"
            )
        card = read_card(str(version.run_id))
        title = f"Model {card.model}, version {card.version}"
        table = Table(title=title, title_justify="left", show_header=False)
        table.add_column()
        table.add_column(overflow="fold")
        for name, value in card_rows(card):
            table.add_row(name, value)
        self.console.print(table)

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self.console.print(f"[green]✓[/] {text}", highlight=False)


def sample(stem: str) -> Path:
    """Return the sample file of that name, whatever its ending.

    Raises:
        DemoError: there is none.
    """
    found = sorted(SAMPLES.glob(f"{stem}.*"))
    if not found:
        raise DemoError(f"there is no sample {stem}.* in {SAMPLES}; there are: {', '.join(samples())}")
    return found[0]


def first_row(path: Path) -> dict[str, str]:
    """Return the first row of a CSV file, by its header."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return next(csv.DictReader(file))


def samples() -> list[str]:
    """Return the names of the data sets that have a sample."""
    return sorted(path.name.partition(".")[0].removeprefix("train_") for path in SAMPLES.glob("train_*"))


def report_keys(bucket: str, path: Path) -> set[str]:
    """Return the keys of the reports on files of that name that have left the inbox."""
    stem = path.name.partition(".")[0]
    found = (version.key for folder in FOLDERS for version in object_store.list_objects(bucket, f"{folder}/{stem}."))
    return {key for key in found if key.endswith(".report.json")}


def settled_since(earlier: set[str], bucket: str, path: Path) -> UploadReport | None:
    """Return what became of the file of that name, once it has left the inbox and there is a report on it."""
    new = report_keys(bucket, path) - earlier
    if not new or object_store.head(bucket, path.name):
        return None
    report: UploadReport = json.loads(object_store.get(bucket, max(new)))
    return report


def card_rows(card: TrainingCard) -> list[tuple[str, str]]:
    """Return the lines of a training card that a newcomer wants to see."""
    metrics = {name: f"{card.metrics[name]:.3f}" for name in ("f1", "roc_auc", "precision", "recall")}
    failed = f", {card.candidates_failed} failed" if card.candidates_failed else ""
    return [
        ("candidates tried", f"{card.candidates_tried}{failed}"),
        ("best candidate", card.best_candidate),
        ("F1 on the hold-out", metrics["f1"]),
        ("ROC AUC", metrics["roc_auc"]),
        ("precision", metrics["precision"]),
        ("recall", metrics["recall"]),
        *([] if card.threshold is None else [("threshold", f"{card.threshold:.3f}")]),
        ("gate", card.reason),
        ("in MLflow", card.url),
    ]


def run(name: str) -> int:
    """Start the stack if it is not up, run the demo of a sample, leave the stack up; return the exit code."""
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
