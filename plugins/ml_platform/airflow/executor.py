"""Airflow's LocalExecutor, whose workers have loaded the libraries of the tasks before a task is forked from them.

A task is a process of its own. Forked from one that has MLflow, Feast and scikit-learn loaded it has them at once; to
import them takes more processor time than most tasks need for their work.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

# What the tasks in dags/ import while they run, and with it MLflow, Feast and scikit-learn.
LIBRARY = (
    "freezing", "movements", "online", "promotion", "scoring", "training", "training_set", "uploads",
    "airflow.connections", "environments.carrying", "environments.moving", "environments.question",
)  # fmt: skip


class PreloadedLocalExecutor(LocalExecutor):
    """Forks its workers from a process that has loaded the platform's library."""

    def start(self) -> None:
        """Load the library, then fork the workers."""
        if self.is_mp_using_fork:  # what is spawned inherits nothing
            load_library()
        super().start()


def load_library() -> None:
    """Import what tasks import, and what these load at first use."""
    for name in LIBRARY:
        import_module(f"ml_platform.{name}")
    import_module("ml_platform.models").load_skops()
