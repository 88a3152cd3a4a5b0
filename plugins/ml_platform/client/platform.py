"""A client of the platform's HTTP service, for programs on any machine.

This file needs only Python 3.11 and nothing else of the platform. The service itself hands it out, so that it fits:
`curl -O http://localhost:8000/docs/ml_platform_client.py`.

    platform = Platform("http://localhost:8000", token)
    file = platform.drop("train_auto.csv").wait()
    platform.drop("new.csv", kind="test", dataset="auto").wait()
    platform.results("auto").latest().save("predictions.csv")
    platform.predict("auto", [{"INDEX": 1, ...}])[0].prediction
"""

import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import datetime
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar
from urllib.parse import quote, urlencode

Kind = Literal["train", "test", "label", "answer"]
IN_INBOX = ("waiting", "loading", "scoring", "failed")
T = TypeVar("T")


class RequestError(Exception):
    """The service did not do what was asked, or could not be reached.

    Attributes:
        status: of the answer; None if there was none.
        errors: of a prediction's rows: `row`, `field`, `value` and `reason` of each bad value.
    """

    def __init__(self, text: str, status: int | None = None, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        """Keep the facts; the text says what is wrong."""
        super().__init__(text)
        self.status, self.errors = status, list(errors)


@dataclass(frozen=True)
class File:
    """A file that was dropped, and what became of it; docs/programs.md explains the fields."""

    dataset: str
    kind: str
    state: str
    bucket: str
    key: str
    etag: str = ""
    sha256: str | None = None
    uploaded_at: datetime | None = None
    settled_at: datetime | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_present: int = 0
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    result_key: str | None = None
    problem: str | None = None
    next_attempt: datetime | None = None

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]

    @property
    def is_settled(self) -> bool:
        """Whether its state is final."""
        return self.state not in IN_INBOX


@dataclass(frozen=True)
class ModelVersion:
    """A version of a model; docs/programs.md explains the fields."""

    model: str
    version: int
    registered_at: datetime
    aliases: list[str] = field(default_factory=list)
    metric: str | None = None
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    decision: str | None = None
    decision_reason: str | None = None
    gain: float | None = None
    made_live_by: str | None = None
    made_live_at: datetime | None = None
    training_set_sha256: str | None = None


@dataclass(frozen=True)
class Prediction:
    """The prediction for one row; docs/serving.md explains the fields."""

    key: dict[str, Any]
    prediction: str | float
    probability: float | None = None
    probabilities: dict[str, float] | None = None
    low: float | None = None
    high: float | None = None
    reasons: list[dict[str, Any]] | None = None


class Platform:
    """One platform, by the address of its HTTP service.

    All methods raise RequestError if the service refuses or cannot be reached.
    """

    def __init__(self, url: str = "http://localhost:8000", token: str | None = None, timeout: float = 60) -> None:
        """Keep the address.

        Args:
            url: of the service.
            token: SERVING_FILES_TOKEN of the platform, or SERVING_TOKEN for predictions only; by default what the
                environment has under one of these names.
            timeout: seconds without a byte after which a request fails.
        """
        self.url, self.timeout = url.rstrip("/"), timeout
        self._token = token or os.environ.get("SERVING_FILES_TOKEN") or os.environ.get("SERVING_TOKEN") or ""

    def drop(self, path: str | Path, kind: Kind | None = None, dataset: str | None = None) -> "Upload":
        """Drop a file. Its name says what it is for (`train_auto.csv`), or kind and data set do."""
        file = Path(path)
        where = f"/v1/{_part(dataset)}/files" if dataset else "/v1/files"
        query = {"as": kind} if kind else {}
        with file.open("rb") as body:
            answer = self._json("PUT", f"{where}/{_part(file.name)}", query, body, file.stat().st_size)
        return Upload(self, _read(File, answer["file"]))

    def file(self, file: File) -> File:
        """Return what has become of a file by now."""
        where = f"/v1/{_part(file.dataset)}/files/{file.kind}/{_part(file.name)}"
        return _read(File, self._json("GET", where, {"etag": file.etag} if file.etag else {})["file"])

    def files(self, dataset: str, *, state: Iterable[str] = (), limit: int = 100, offset: int = 0) -> list[File]:
        """Return the files of a data set: those in the inbox, then the settled ones, the newest first."""
        query = {"state": list(state), "limit": limit, "offset": offset}
        return [_read(File, one) for one in self._json("GET", f"/v1/{_part(dataset)}/files", query)["files"]]

    def results(self, dataset: str, limit: int = 100) -> "Results":
        """Return the results of a data set, the newest first."""
        found = self._json("GET", f"/v1/{_part(dataset)}/results", {"limit": limit})["results"]
        return Results(Result(self, **_values(Result, one)) for one in found)

    def models(self, dataset: str, limit: int = 100) -> list[ModelVersion]:
        """Return the versions of a model, the newest first."""
        found = self._json("GET", f"/v1/{_part(dataset)}/models", {"limit": limit})["models"]
        return [_read(ModelVersion, one) for one in found]

    def predict(self, dataset: str, rows: Sequence[Mapping[str, Any]], explain: int = 0) -> list[Prediction]:
        """Return the live model's prediction for each row, with so many reasons."""
        answer = self._json(
            "POST", f"/v1/{_part(dataset)}/predict", {"explain": explain}, json.dumps({"rows": list(rows)}).encode()
        )
        return [_read(Prediction, one) for one in answer["predictions"]]

    def _json(
        self, method: str, path: str, query: Mapping[str, Any], body: bytes | BinaryIO | None = None, size: int = 0
    ) -> dict[str, Any]:
        with closing(self.open(method, path, query, body, size)) as answer:
            document: dict[str, Any] = json.load(answer)
        return document

    def open(
        self, method: str, path: str, query: Mapping[str, Any], body: bytes | BinaryIO | None = None, size: int = 0
    ) -> HTTPResponse:
        """Send a request and return the answer, open for reading; `size` is that of a body that is a file."""
        address = f"{self.url}{path}{'?' + urlencode(query, doseq=True) if query else ''}"
        request = urllib.request.Request(address, body, method=method)  # noqa: S310 – the user's own address
        request.add_header("Authorization", f"Bearer {self._token}")
        if size or (body is not None and not isinstance(body, bytes)):
            request.add_header("Content-Length", str(size))
            request.add_header("Content-Type", "application/octet-stream")
        try:
            answer: HTTPResponse = urllib.request.urlopen(request, timeout=self.timeout)  # noqa: S310
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except OSError as error:
            raise RequestError(f"{self.url} cannot be reached: {error}") from error
        return answer


@dataclass(frozen=True)
class Upload:
    """A file that was just dropped: `wait` for what becomes of it."""

    platform: Platform = field(repr=False)
    file: File

    def wait(self, timeout: float = 3600, poll: float = 1.0) -> File:
        """Return the file when it is loaded or scored.

        Args:
            timeout: seconds until this gives up.
            poll: seconds between two looks.

        Raises:
            RequestError: it was rejected or removed, needs a change of the YAML, or the time is over.
        """
        end = time.monotonic() + timeout
        while True:
            file = self.platform.file(self.file)
            needs_a_person = file.state == "failed" and file.next_attempt is None
            if file.state in ("rejected", "removed") or needs_a_person:
                why = "; ".join(file.reasons[:3]) or file.problem or ""
                raise RequestError(f"{file.key} is {file.state}{f': {why}' if why else ''}")
            if file.is_settled:
                return file
            if time.monotonic() > end:
                raise RequestError(f"{file.key} is {file.state} after {timeout:g} s")
            time.sleep(poll)


@dataclass(frozen=True)
class Result:
    """A file of predictions."""

    platform: Platform = field(repr=False)
    dataset: str
    key: str
    file_key: str
    scored_at: datetime
    model_version: int | None
    rows: int
    rows_rejected: int

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]

    def save(self, path: str | Path | None = None) -> Path:
        """Write it to a file, which appears when it is complete, and return the file's path."""
        target = Path(path or self.name)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        where = f"/v1/{_part(self.dataset)}/results/{_part(self.name)}"
        try:
            with closing(self.platform.open("GET", where, {})) as answer, part.open("xb") as file:
                shutil.copyfileobj(answer, file)
                if answer.length:  # of what was announced, so many bytes are missing
                    raise RequestError(f"{self.key}: the answer broke off; {answer.length:,} bytes are missing")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target


class Results(list[Result]):
    """Results, the newest first."""

    def latest(self) -> Result:
        """Return the newest one; raise RequestError if there is none."""
        if not self:
            raise RequestError("there is no result yet")
        return self[0]


def _part(text: str) -> str:
    return quote(text, safe="")


def _read(kind: type[T], document: Mapping[str, Any]) -> T:
    return kind(**_values(kind, document))


def _values(kind: type[Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that this client knows; a newer service may send more."""
    known = {one.name: document[one.name] for one in fields(kind) if one.name in document}
    moments = (name for name in known if (name.endswith("_at") or name == "next_attempt") and known[name])
    return known | {name: datetime.fromisoformat(known[name]) for name in moments}


def _refusal(error: urllib.error.HTTPError) -> RequestError:
    try:
        document = json.load(error)
        detail = document["detail"]
    except (ValueError, KeyError, TypeError):
        return RequestError(f"the service answered {error.code} {error.reason}", error.code)
    bad = document.get("errors") or []
    first = f": {bad[0]}" if bad else ""
    return RequestError(f"{detail}{first}" if isinstance(detail, str) else json.dumps(detail), error.code, bad)
