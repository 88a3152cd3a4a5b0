"""Airflow's LocalExecutor with workers that have imported the libraries of the tasks before they fork a task.

Each task is a process of its own. Forked from a process that has imported MLflow, Feast and scikit-learn, it has them
at once. The imports would take more processor time than most tasks need for their work.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

# Modules that tasks of dags/ import while they run; they import MLflow, Feast and scikit-learn.
LIBRARY = (
    "airflow.connections", "environments.approval_question", "environments.copy_version", "environments.go_live",
    "feature_store.online_rows", "ingestion.uploads", "promotion.rollback", "promotion.steps",
    "removal.withdraw_upload", "scoring.batch", "training.build_training_set", "training.search_plan",
    "training.steps", "training.training_set",
)  # fmt: skip


class PreloadedLocalExecutor(LocalExecutor):
    """Forks its workers from a process that has imported the platform's library."""

    def start(self) -> None:
        """Import the library, then fork the workers."""
        if self.is_mp_using_fork:  # spawned workers would not inherit it
            load_library()
        super().start()


def load_library() -> None:
    """Import the modules of the tasks, and what they load at first use."""
    for name in LIBRARY:
        import_module(f"ml_platform.{name}")
    import_module("ml_platform.registry.model_files").load_skops()
