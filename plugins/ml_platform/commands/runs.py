"""`ml-platform runs`: follow what Airflow does for a data set, until nothing is left to do."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from ml_platform.commands.json_output import print_json

if TYPE_CHECKING:
    from stack.airflow_api import Airflow

app = typer.Typer(help="The runs of DAGs: follow them.", no_args_is_help=True)

POLL = 2.0  # seconds between two looks
CALM_LOOKS = 2  # between two tasks, or two DAGs, one look finds nothing
ENDED = ("success", "failed")
NOT_WORKING = ("none", "deferred", "success", "failed", "skipped", "upstream_failed", "removed")


@dataclass(frozen=True)
class Run:
    """A run of a DAG.

    Attributes:
        dag: its id.
        run: its id.
        state: of the run.
        started_at: ISO 8601; None if it has not begun.
        ended_at: ISO 8601; None if it has not ended.
        tasks: state of each task that has begun, by its name.
    """

    dag: str
    run: str
    state: str
    started_at: str | None
    ended_at: str | None
    tasks: dict[str, str]

    @property
    def is_at_work(self) -> bool:
        """Whether a task of it works, waits for a place or is tried again; a wait for a file or a person is no work."""
        return self.state == "queued" or any(state not in NOT_WORKING for state in self.tasks.values())


@app.callback()
def runs() -> None:
    """Keep `watch` a command of its own."""


@app.command()
def watch(
    name: Annotated[str | None, typer.Argument(help="a DAG, or a data set for all its DAGs; default: all DAGs")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="seconds until this gives up")] = 3600,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document at the end, for programs")] = False,
) -> None:
    """Follow the newest run of each DAG until no task works any more. Exit code 1 if one failed, or the time is over.

    A run that waits for a file or a person does not work. Of several DAGs, a run that ended before does not count.
    """
    with _airflow() as airflow:
        dags = _dags(airflow, name)
        watched = _Watch(airflow, dags)
        is_calm = watched.follow(timeout)
    if as_json:
        print_json({"runs": watched.found})
    if not is_calm or watched.has_failed:
        raise typer.Exit(1)


@contextmanager
def _airflow() -> Iterator["Airflow"]:
    from stack.airflow_api import Airflow, AirflowError
    from stack.config import load
    from stack.errors import StackError

    try:
        config = load()
        password = config.airflow_admin_password.get_secret_value()
        airflow = Airflow(config.airflow_url, config.airflow_admin_user, password)
        try:
            yield airflow
        finally:
            airflow.close()
    except (StackError, AirflowError, httpx.HTTPError) as error:
        typer.echo(f"Airflow: {error}", err=True)
        raise typer.Exit(1) from None


def _dags(airflow: "Airflow", name: str | None) -> list[str]:
    known = airflow.dags()
    found = [dag for dag in known if name is None or dag == name or dag.partition("_")[2] == name]
    if not found:
        typer.echo(f"there is no DAG of the name or the data set {name!r}; there are: {', '.join(known)}", err=True)
        raise typer.Exit(1)
    if paused := [dag for dag in found if known[dag]]:
        typer.echo(f"switched off: {', '.join(paused)}", err=True)
    return found


class _Watch:
    """What was seen of the runs of some DAGs."""

    def __init__(self, airflow: "Airflow", dags: list[str]) -> None:
        self._airflow, self._dags = airflow, dags
        self.found: list[Run] = []
        self._worked: set[tuple[str, str]] = set()
        self._shown: dict[tuple[str, str, str], str] = {}

    @property
    def has_failed(self) -> bool:
        """Whether a run failed while it was watched, or the only one had failed before."""
        failed = {(run.dag, run.run) for run in self.found if run.state == "failed"}
        return bool(failed & self._worked if len(self._dags) > 1 else failed)

    def follow(self, timeout: float) -> bool:
        """Look until nothing works any more; return whether that was within some seconds."""
        end, calm = time.monotonic() + timeout, 0
        while calm < CALM_LOOKS:
            self.found = [run for dag in self._dags for run in self._newest(dag)]
            at_work = {(run.dag, run.run) for run in self.found if run.is_at_work}
            self._worked |= at_work
            self._show_changes()
            calm = 0 if at_work else calm + 1
            if time.monotonic() > end:
                return False
            time.sleep(POLL)
        return True

    def _newest(self, dag: str) -> list[Run]:
        """Return the newest run of a DAG, and those before it that worked while they were watched."""
        *earlier, newest = self._airflow.runs(dag, limit=5) or [{}]
        seen = [run for run in earlier if (dag, run["dag_run_id"]) in self._worked]
        return [self._run(dag, run) for run in (*seen, newest) if run]

    def _run(self, dag: str, run: dict[str, Any]) -> Run:
        tasks = {task.label: task.state for task in self._airflow.tasks(dag, run["dag_run_id"])}
        return Run(dag, run["dag_run_id"], run["state"], run["start_date"], run["end_date"], tasks)

    def _show_changes(self) -> None:
        for run in self.found:
            states = {task: state for task, state in run.tasks.items() if state != "none"}
            if run.state in ENDED:
                states[""] = run.state
            for task, state in states.items():
                if self._shown.get((run.dag, run.run, task)) != state:
                    self._shown[run.dag, run.run, task] = state
                    typer.echo(f"{run.dag}{f' / {task}' if task else ''}: {state}", err=True)
