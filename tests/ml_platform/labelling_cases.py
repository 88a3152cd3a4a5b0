"""Rows that a person was asked about, and what was filled in, for tests on servers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ml_platform.ingestion import uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import new_name

SCORED_AT = "2026-03-01T12:00:00+00:00"
ROW: dict[str, Any] = {
    "COUNT": 3, "RATIO": 0.1 + 0.2, "PRICE": 67349.0, "KIND": "=HYPERLINK()", "FLAG": True, "NOTE": "any, \"text\"\n",
}  # fmt: skip


def record_asked(dataset: Dataset, keys: Sequence[Mapping[str, Any]], moment: str = SCORED_AT) -> list[str]:
    """Record that rows with these keys were asked about; return their ids."""
    ensure_tables(dataset)
    ids = [f"ask-{new_name()}" for _ in keys]
    with transaction() as cursor:
        cursor.executemany(
            "INSERT INTO labelling.asked (dataset, ask_id, entity_key, event_time, scored_values, model_version,"
            " uncertainty, file_key, asked_by)"
            " VALUES ($1, $2, $3::text::jsonb, $4::text::timestamptz, $5::text::jsonb, 1, 0.5, 'asked/x.csv', 'ann')",
            [
                (dataset.name, one, json.dumps(dict(key)), moment, json.dumps({**key, **ROW}))
                for one, key in zip(ids, keys, strict=True)
            ],
        )
    return ids


def drop_answers(dataset: Dataset, *answers: str, header: str = "ask_id,LABEL,labelled_by", suffix: str = "") -> str:
    """Drop a file that was filled in; return its key."""
    key = f"label_{dataset.name}{suffix or '.' + new_name()}.csv"
    body = "\n".join([header, *answers]) + "\n"
    object_store.client().put_object(Bucket="label", Key=key, Body=body.encode())
    return key


def answer(dataset: Dataset, *answers: str, **options: str) -> UploadReport:
    """Drop a file that was filled in, and load it."""
    return uploads.ingest(dataset, drop_answers(dataset, *answers, **options))
