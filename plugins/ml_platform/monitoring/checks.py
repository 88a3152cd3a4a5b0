"""The table `monitoring.checks`: one row per check, of any kind, whatever is run twice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ml_platform.monitoring.window import Window
from ml_platform.storage.database import fetch, transaction

Kind = Literal["drift", "performance", "estimated performance"]
DRIFT = "drift"  # the bad verdict about rows
BROKEN, KEPT = "below the promise", "as promised"  # verdicts about a performance


@dataclass(frozen=True)
class Check:
    """The result of a check.

    Attributes:
        kind: what was checked.
        window: which rows.
        reference: what they were compared with, for people.
        rows: number of rows in the window.
        verdict: in a word or two, such as `drift` or `no drift`.
        figures: plain JSON; what they are depends on the kind.
        report_key: of the page in the bucket `reports`.
    """

    kind: Kind
    window: Window
    reference: str
    rows: int
    verdict: str
    figures: Mapping[str, Any]
    report_key: str | None = None

    def facts(self) -> dict[str, Any]:
        """Return what the event of an asset says about the check."""
        return {
            "kind": self.kind, "verdict": self.verdict, "model_version": self.window.version, "rows": self.rows,
            "window_start": self.window.start.isoformat(), "window_end": self.window.end.isoformat(),
            "report_key": self.report_key,
        }  # fmt: skip


def record(check: Check, by: str) -> None:
    """Write the row of a check; the same check replaces it.

    Raises:
        ServiceError: Postgres failed; run it again.
    """
    model, version, start, end = check.window.values()
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO monitoring.checks (dataset, model_version, window_start, window_end, kind, reference, rows,"
            " verdict, figures, report_key, checked_by) VALUES ($1, $2::int, $3::text::timestamptz,"
            " $4::text::timestamptz, $5, $6, $7, $8, $9::text::jsonb, $10, $11)"
            " ON CONFLICT (dataset, kind, model_version, window_start, window_end, reference) DO UPDATE"
            " SET rows = excluded.rows, verdict = excluded.verdict, figures = excluded.figures,"
            " report_key = excluded.report_key, checked_by = excluded.checked_by, checked_at = now()",
            (
                *(model, version, start, end, check.kind, check.reference, check.rows, check.verdict),
                *(json.dumps(check.figures), check.report_key, by),
            ),
        )


def last_rows(kind: Kind, window: Window) -> int | None:
    """Return the number of rows of the last check of a version before the end of a window; None if there is none."""
    found = fetch(
        "SELECT rows FROM monitoring.checks WHERE dataset = $1 AND kind = $2 AND model_version = $3::int"
        " AND window_end < $4::text::timestamptz ORDER BY window_end DESC LIMIT 1",
        *(window.model, kind, window.version, window.end.isoformat()),
    )
    return int(found[0][0]) if found else None


def last_end(kind: Kind, model: str, version: int, before: datetime) -> datetime | None:
    """Return the end of the last window, before a moment, in which a version was checked; None if there is none."""
    found = fetch(
        "SELECT max(window_end) FROM monitoring.checks WHERE dataset = $1 AND kind = $2 AND model_version = $3::int"
        " AND window_end < $4::text::timestamptz",
        *(model, kind, version, before.isoformat()),
    )
    end: datetime | None = found[0][0]
    return end
