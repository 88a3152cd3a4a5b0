"""A data set of visits to places, joined to a table of readings at these places on columns of other names."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from ml_platform.ingestion import uploads
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import new_name

START = datetime(2026, 1, 1, tzinfo=UTC)
TTL = 3  # days
TIME_COLUMNS = ("AT", "SEEN", "WHEN")


def moment(number: float) -> datetime:
    """Return the time so many days after `START`."""
    return START + timedelta(days=number)


def declare(folder: Path) -> Dataset:
    """Write the two YAML files and return the spec of the visits."""
    name, table = new_name(), new_name()
    readings = {
        "kind": "table", "name": table, "description": "readings", "entity": {"name": f"e{table}", "key": ["A", "B"]},
        "event_time": "AT", "known_at": "SEEN", "ttl": f"{TTL}d",
        "columns": {"A": "text", "B": "integer", "AT": "timestamp", "SEEN": "timestamp", "TEMP": "number",
                    "SKY": "category", "id": "integer"},
    }  # fmt: skip
    visits = {
        "name": name, "description": "visits", "entity": {"name": f"e{name}", "key": "ID"},
        "label": {"column": "LABEL", "positive": "yes", "negative": "no"}, "event_time": "WHEN",
        "features_from": [{"table": table, "on": {"A": "P", "B": "Q"}}],
        "columns": {"ID": "integer", "LABEL": "category", "WHEN": "timestamp", "P": "category", "Q": "integer"},
    }  # fmt: skip
    for document in (readings, visits):
        (folder / f"{document['name']}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return dataset(name, folder)


def timed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with times in place of numbers of days, and readings with an `id` more."""
    return [{n: moment(v).isoformat() if n in TIME_COLUMNS else v for n, v in row.items()}
            | ({"id": i} if "A" in row else {}) for i, row in enumerate(rows)]  # fmt: skip


def load(table: Table, rows: list[dict[str, Any]], suffix: str = "") -> None:
    """Upload rows as a CSV file and load them; none may be rejected."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    key = f"{table.inbox_prefix('train')}{suffix}.csv"
    object_store.client().put_object(Bucket="train", Key=key, Body=text.getvalue().encode())
    report = uploads.ingest(table, key)
    assert (report["outcome"], report["rows_rejected"]) == ("loaded", 0), report["reasons"]
