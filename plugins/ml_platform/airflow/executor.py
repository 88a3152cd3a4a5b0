"""Airflow's LocalExecutor, whose workers have loaded the libraries of the tasks before a task is forked from them.

A task is a process of its own. Forked from one that has MLflow, Feast and scikit-learn loaded it has them at once; to
import them takes more processor time than most tasks need for their work.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

# What the tasks in dags/ import while they run, and with it MLflow, Feast and scikit-learn.
LIBRARY = (
    "airflow.connections", "environments.approval_question", "environments.copy_version", "environments.go_live",
    "feature_store.online_rows", "ingestion.uploads", "promotion.rollback", "promotion.steps", "scoring.batch",
    "training.build_training_set", "training.search_plan", "training.steps", "training.training_set",
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
    import_module("ml_platform.registry.model_files").load_skops()
