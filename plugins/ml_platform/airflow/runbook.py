"""The documentation that Airflow shows with a DAG: the docstring of its file, filled in for one data set.

A docstring names a field as `{name}` and another page as a Markdown link with a scheme of ours:
`[bucket train](bucket:train)`.
"""

import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

FIELD = re.compile(r"\{([a-z_]+)\}")
LINK = re.compile(r"\[([^\]]+)\]\((bucket|dag|experiment|feast|model|table):([^)]+)\)")


def runbook(docstring: str, **fields: str) -> str:
    """Return the documentation of one DAG, in Markdown.

    Where the environment does not name the address of a page, only the text of its link stays.

    Args:
        docstring: of the DAG file.
        fields: text by field; it may hold links of the same kind.

    Raises:
        KeyError: the docstring names a field that is not given.
    """
    return LINK.sub(_link, FIELD.sub(lambda field: fields[field[1]], docstring))


def _link(match: re.Match[str]) -> str:
    text, scheme, target = match.groups()
    url = PAGES[scheme](os.environ, target)
    return f"[{text}]({url})" if url else text


def _bucket(environment: Mapping[str, str], folder: str) -> str | None:
    """Return the page of a folder, `bucket` or `bucket/prefix`; the console's start page if folders have no address."""
    folders = environment.get("BUCKETS_URL")
    return f"{folders}{quote(folder)}/" if folders else environment.get("CONSOLE_URL")


def _dag(_: Mapping[str, str], dag_id: str) -> str:
    return f"/dags/{quote(dag_id)}"


def _experiment(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("MLFLOW_URL"), f"#/experiments?experimentSearchFilter={quote(name)}")


def _model(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("MLFLOW_URL"), f"#/models/{quote(name)}")


def _feature_view(environment: Mapping[str, str], name: str) -> str | None:
    return _below(environment.get("FEAST_URL"), f"p/ml_platform/feature-view/{quote(name)}")


def _table(environment: Mapping[str, str], name: str) -> str | None:
    """Return Adminer's page of `schema.table`. ADMINER_URL already names the server, the login and a schema."""
    if not (url := environment.get("ADMINER_URL")):
        return None
    schema, _, table = name.partition(".")
    without_schema = re.sub(r"&ns=[^&]*", "", url)
    return f"{without_schema}&ns={quote(schema)}&select={quote(table)}"


def _below(url: str | None, path: str) -> str | None:
    return f"{url.rstrip('/')}/{path}" if url else None


PAGES: dict[str, Callable[[Mapping[str, str], str], str | None]] = {
    "bucket": _bucket,
    "dag": _dag,
    "experiment": _experiment,
    "feast": _feature_view,
    "model": _model,
    "table": _table,
}
