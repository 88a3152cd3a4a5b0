"""The addresses of pages of the screens, from the environment: a DAG, a folder of a bucket, a model, a table.

An address is None where the environment does not name its screen.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote


def _bucket(environment: Mapping[str, str], folder: str) -> str | None:
    """Return the page of a folder, `bucket` or `bucket/prefix`; the console's start page if folders have no address."""
    folders = environment.get("BUCKETS_URL")
    return f"{folders}{quote(folder)}/" if folders else environment.get("CONSOLE_URL")


def _dag(_: Mapping[str, str], dag_id: str) -> str:
    return f"/dags/{quote(dag_id)}"


def _run(_: Mapping[str, str], run: str) -> str:
    """Return the page of a run, `DAG/id of the run`, within Airflow."""
    dag_id, _slash, run_id = run.partition("/")
    return f"/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"


def _approvals(_: Mapping[str, str], run: str) -> str:
    """Return the page of a run on which a person approves or rejects, within Airflow."""
    return f"{_run(_, run)}/required_actions"


def _experiment(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("MLFLOW_URL"), f"#/experiments?experimentSearchFilter={quote(name)}")


def _model(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("MLFLOW_URL"), f"#/models/{quote(name)}")


def _versions(environment: Mapping[str, str], name: str) -> str | None:
    """Return the home page's list of the versions of a model."""
    return _below(environment.get("HOME_URL"), f"models?dataset={quote(name)}")


def _feature_view(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("FEAST_URL"), f"p/ml_platform/feature-view/{quote(name)}")


def _table(environment: Mapping[str, str], name: str) -> str | None:
    """Return Adminer's page of `schema.table`. ADMINER_URL names the server, the login and another table."""
    if not (url := environment.get("ADMINER_URL")):
        return None
    schema, _, table = name.partition(".")
    database = re.sub(r"&(ns|select|order%5B0%5D|desc%5B0%5D)=[^&]*", "", url)
    return f"{database}&ns={quote(schema)}&select={quote(table)}"


def _screen(environment: Mapping[str, str], server: str) -> str | None:
    """Return the start page of a server that has one."""
    names = {"objects": "CONSOLE_URL", "airflow": "AIRFLOW_URL", "mlflow": "MLFLOW_URL", "feast": "FEAST_URL"}
    return environment.get(names.get(server, "AIRFLOW_URL"))


def _below(url: str | None, path: str) -> str | None:
    return f"{url.rstrip('/')}/{path}" if url else None


def address(environment: Mapping[str, str], scheme: str, target: str) -> str:
    """Return the whole address of a page; Airflow's start page if its screen has no address.

    Args:
        environment: names the screens' addresses.
        scheme: one of `PAGES`.
        target: which page; what it names depends on the scheme.
    """
    airflow = environment.get("AIRFLOW_URL", "").rstrip("/")
    page = PAGES[scheme](environment, target) or "/"
    return f"{airflow}{page}" if page.startswith("/") else page


PAGES: dict[str, Callable[[Mapping[str, str], str], str | None]] = {
    "approvals": _approvals,
    "bucket": _bucket,
    "dag": _dag,
    "experiment": _experiment,
    "feast": _feature_view,
    "model": _model,
    "run": _run,
    "screen": _screen,
    "table": _table,
    "versions": _versions,
}
