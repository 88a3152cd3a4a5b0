"""Causes in `monitoring.checks`, the table of what is found about live models."""

from datetime import datetime

from ml_platform.alerts.causes import Cause, Look
from ml_platform.alerts.store import Connection
from ml_platform.specs.alerts import EventName

# kind of check and its bad verdict; any other verdict ends the state
BAD: dict[tuple[str, str], EventName] = {
    ("drift", "drift"): "drift",
    ("performance", "below the promise"): "performance",
    ("estimated performance", "below the promise"): "performance",
}
LAST = """
SELECT DISTINCT ON (dataset, kind) dataset, kind, verdict, model_version, rows, window_end
FROM monitoring.checks ORDER BY dataset, kind, window_end DESC, check_id DESC"""


def findings(connection: Connection) -> Look:
    """Return the data sets whose last check of a kind has a bad verdict."""
    return Look.of(
        BAD.values(),
        [
            Cause(BAD[kind, verdict], f"{dataset}/{kind}", {"reason": _reason(rows, version, end)}, dataset)
            for dataset, kind, verdict, version, rows, end in connection.execute(LAST)
            if (kind, verdict) in BAD
        ],
    )


def _reason(rows: int, version: int, end: datetime) -> str:
    return f"The check looked at {rows:,} rows that version {version} scored until {end:%Y-%m-%d %H:%M} UTC."
