"""Whether a DAG is switched on in Airflow, and how a person switches it on.

Raises, in each function:
    ServiceError: Airflow is not reachable, or failed.
    ConfigurationError: Airflow refused the request; the text says why.
"""

from ml_platform.records.airflow_session import airflow


def is_off(dag_id: str) -> bool:
    """Return whether a DAG is switched off: files for it wait."""
    with airflow() as api:
        return api.is_paused(dag_id)


def switch_on(dag_id: str) -> None:
    """Switch a DAG on."""
    with airflow() as api:
        api.unpause(dag_id)
