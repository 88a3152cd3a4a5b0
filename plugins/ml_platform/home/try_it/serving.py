"""The HTTP service that predicts, as a program calls it: the same answer, the same errors, and the same log."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

import httpx

from ml_platform.exceptions import ServiceError
from ml_platform.home.settings import HomeSettings

REASONS = 5
TIMEOUT = 30.0  # seconds; a random forest takes some for its reasons
HEALTH_TIMEOUT = 2.0

Row = Mapping[str, Any]


@dataclass(frozen=True)
class BadField:
    """A value that the service refuses, with the reason; without a field it is about the whole row."""

    field: str
    value: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """The answer to a request with one row.

    Attributes:
        status: of HTTP; 200 if the row was scored.
        body: as the service sent it.
        detail: why the row was not scored; "" if it was.
        bad: the values that it refuses.
    """

    status: int
    body: Mapping[str, Any]
    detail: str = ""
    bad: tuple[BadField, ...] = ()

    @property
    def prediction(self) -> Mapping[str, Any]:
        """The prediction of the row."""
        found: Mapping[str, Any] = self.body["predictions"][0]
        return found


def path(dataset: str) -> str:
    """Return the path of a request for predictions with reasons."""
    return f"/v1/{dataset}/predict?explain={REASONS}"


def state(settings: HomeSettings, dataset: str) -> tuple[int | None, str | None]:
    """Return the version that answers for a data set, and why it may not be the live one; None, None without any.

    Raises:
        ServiceError: the service cannot be reached.
    """
    try:
        answer = httpx.get(f"{settings.serving_url}/health", timeout=HEALTH_TIMEOUT, trust_env=False).json()
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        raise ServiceError(f"the HTTP service at {settings.serving_url}: {error}") from error
    found = answer.get("models", {}).get(dataset, {})
    return found.get("version"), found.get("reason")


def predict(settings: HomeSettings, dataset: str, row: Row) -> Answer:
    """Ask the service about a row.

    Raises:
        ServiceError: it cannot be reached, or its answer is none of its own.
    """
    headers = {"Authorization": f"Bearer {settings.serving_token.get_secret_value()}"}
    url = f"{settings.serving_url}{path(dataset)}"
    try:
        answer = httpx.post(url, json={"rows": [dict(row)]}, headers=headers, timeout=TIMEOUT, trust_env=False)
        body = answer.json()
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        raise ServiceError(f"the HTTP service at {settings.serving_url}: {error}") from error
    if answer.status_code == httpx.codes.OK:
        return Answer(answer.status_code, body)
    bad = tuple(BadField(str(e["field"]), str(e["value"]), str(e["reason"])) for e in body.get("errors", ()))
    return Answer(answer.status_code, body, str(body.get("detail", "")), bad)


def as_curl(base: str, dataset: str, row: Row) -> str:
    """Return the request as a command; the token comes from the environment."""
    body = json.dumps({"rows": [dict(row)]}, ensure_ascii=False)
    return (
        f'curl -s "{base}{path(dataset)}" \\\n  -H "Authorization: Bearer $SERVING_TOKEN" \\\n'
        f"  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}"
    )


def as_python(base: str, dataset: str, row: Row) -> str:
    """Return the request as a program; the token comes from the environment."""
    return (
        f"import os\n\nimport requests\n\nrow = {pformat(dict(row), sort_dicts=False)}\n"
        "answer = requests.post(\n"
        f'    "{base}{path(dataset)}",\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'SERVING_TOKEN\']}"},\n'
        '    json={"rows": [row]},\n    timeout=30,\n)\n'
        'print(answer.json()["predictions"][0])'
    )
