"""Causes in what the pipelines record in the database `platform`: rejected files, the gate, alias changes, arrivals.

A happening is looked for until its alert is recorded, so none is missed while the sender is down.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ml_platform.alerts.causes import Cause, Look, shortened
from ml_platform.alerts.freshness import Arrivals, judge
from ml_platform.alerts.store import Connection
from ml_platform.specs.spec import Table

NEW = "NOT EXISTS (SELECT FROM monitoring.alerts WHERE event = %s AND cause = {}::text)"
MOST = 200  # happenings of one look; the next one finds the rest


def rejected_files(connection: Connection, since: datetime) -> Look:
    """Return the files that were rejected."""
    rows = connection.execute(
        "SELECT arrival_id::text, dataset, report FROM uploads.arrivals WHERE outcome = 'rejected'"  # noqa: S608
        f" AND arrived_at >= %s AND {NEW.format('arrival_id')} ORDER BY arrival_id LIMIT {MOST}",
        (since, "file_rejected"),
    )
    causes = [Cause("file_rejected", key, _rejection(report), dataset) for key, dataset, report in rows]
    return Look.of(["file_rejected"], causes)


def _rejection(report: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a rejected file; no cell of it, because rows can be about people."""
    whole = [reason["reason"] for reason in report["reasons"] if not reason["column"] and not reason["value"]]
    rows = f"{report['rows_rejected']} of {report['rows_read']} rows are rejected."
    return {
        "file": report["key"],
        "bucket": report["bucket"],
        "report": report["report_key"],
        "reason": shortened(whole[0] if whole else rows),
    }


def refused_challengers(connection: Connection, since: datetime) -> Look:
    """Return the decisions of the gate that let a challenger not go live."""
    rows = connection.execute(
        "SELECT decision_id::text, model, version, reason FROM models.decisions WHERE decision <> 'promoted'"  # noqa: S608
        f" AND decided_at >= %s AND {NEW.format('decision_id')} ORDER BY decision_id LIMIT {MOST}",
        (since, "challenger_refused"),
    )
    return Look.of(
        ["challenger_refused"],
        [
            Cause("challenger_refused", key, {"version": version, "reason": shortened(reason)}, model)
            for key, model, version, reason in rows
        ],
    )


def rollbacks(connection: Connection, since: datetime) -> Look:
    """Return the changes of the alias `champion` that went back."""
    rows = connection.execute(
        "SELECT movement_id::text, model, from_version, to_version, moved_by, reason FROM models.movements"  # noqa: S608
        f" WHERE why = 'rollback' AND is_done AND moved_at >= %s AND {NEW.format('movement_id')}"
        f" ORDER BY movement_id LIMIT {MOST}",
        (since, "rolled_back"),
    )
    causes = [
        Cause("rolled_back", key, {"before": before, "after": after, "by": by, "reason": shortened(reason)}, model)
        for key, model, before, after, by, reason in rows
    ]
    return Look.of(["rolled_back"], causes)


def arrivals(connection: Connection, tables: Iterable[Table], now: datetime) -> Look:
    """Return the data sets and feature tables whose rows do not come as their specs expect."""
    return Look.of(["nothing_arrived", "fewer_rows", "more_rows"], _unexpected(connection, tables, now))


def _unexpected(connection: Connection, tables: Iterable[Table], now: datetime) -> Iterator[Cause]:
    for table in tables:
        if table.expect is None:
            continue
        found = _arrivals_of(connection, table, now)
        judged = judge(table.expect, found, now) if found else None
        if judged:
            event, facts = judged
            yield Cause(event, table.name, facts, table.name)


def _arrivals_of(connection: Connection, table: Table, now: datetime) -> Arrivals | None:
    if table.expect is None:
        return None
    period, tolerance = table.expect.period, table.expect.period * table.expect.tolerance
    row = connection.execute(
        "SELECT min(claimed_at), max(claimed_at), (array_agg(object_key ORDER BY claimed_at DESC))[1],"
        " coalesce(sum(rows_loaded) FILTER (WHERE claimed_at > %s), 0)::bigint,"
        " coalesce(sum(rows_loaded) FILTER (WHERE claimed_at > %s), 0)::bigint"
        " FROM uploads.ledger WHERE dataset = %s AND purpose = 'train' AND claimed_at <= %s",
        (now - period - tolerance, now - period + tolerance, table.name, now),
    ).fetchone()
    return Arrivals(*row) if row and row[0] else None
