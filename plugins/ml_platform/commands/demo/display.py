"""What the demo shows on the terminal: the tasks of a run, their times, and the card of the training."""

from collections.abc import Iterable, Mapping

from rich.table import Table

from ml_platform.promotion.results import TrainingCard
from ml_platform.specs.tasks import METRIC_TITLES
from stack.airflow_api import TaskState

SHOWN_METRICS = ("f1", "roc_auc", "precision", "recall", "mae", "rmse", "r2", "coverage")
COLOURS = {"success": "green", "running": "cyan", "failed": "red", "deferred": "blue", "up_for_retry": "yellow"}


def task_table(title: str, tasks: Iterable[TaskState], notes: Mapping[str, str]) -> Table:
    """Return a table of a run: label, state, seconds and note of each task.

    Args:
        title: of the table.
        tasks: of the run, in their order.
        notes: by task id; a task without one has an empty cell.
    """
    table = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 2))
    for task in tasks:
        state = f"[{COLOURS.get(task.state, 'dim')}]{task.state}"
        table.add_row(task.label, state, f"{task.seconds:.0f} s", notes.get(task.task_id, ""))
    return table


def progress_note(metrics: Mapping[str, float]) -> str:
    """Return how many candidates of a search are done; empty while it has not begun."""
    done, total = metrics.get("candidates_done", 0), metrics.get("candidates_total")
    return f"{done:.0f} of {total:.0f} candidates" if total else ""


def times_line(title: str, tasks: Iterable[TaskState]) -> str:
    """Return one line with the seconds of each task that did work."""
    worked = [task for task in tasks if task.state == "success" and not task.task_id.startswith("wait_for")]
    times = ", ".join(f"{task.label} {task.seconds:.0f} s" for task in worked)
    return title + (f": {times}" if times else "")


def card_table(card: TrainingCard) -> Table:
    """Return the table of a training card."""
    title = f"Model {card.model}, version {card.version}"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in card_rows(card):
        table.add_row(name, value)
    return table


def card_rows(card: TrainingCard) -> list[tuple[str, str]]:
    """Return the lines of a training card that a newcomer needs: title and value."""
    shown = [name for name in SHOWN_METRICS if name in card.metrics]
    counts = {"failed": card.candidates_failed, "pruned": card.candidates_pruned}
    others = "".join(f", {number} {name}" for name, number in counts.items() if number)
    return [
        ("candidates tried", f"{card.candidates_tried}{others}"),
        ("best candidate", card.best_candidate),
        *((f"{METRIC_TITLES[name]} on the hold-out", f"{card.metrics[name]:.3f}") for name in shown[:1]),
        *((METRIC_TITLES[name], f"{card.metrics[name]:.3f}") for name in shown[1:]),
        *([] if card.threshold is None else [("threshold", f"{card.threshold:.3f}")]),
        ("gate", card.reason),
        ("in MLflow", card.url),
        *([("compare estimators", card.compare_url)] if card.compare_url else []),
    ]
