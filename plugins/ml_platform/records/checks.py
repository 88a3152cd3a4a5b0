"""The checks of a data set: whether its rows drift, and whether its model is as good as promised."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_platform.monitoring.checks import BROKEN, DRIFT, Kind
from ml_platform.storage.database import fetch

BAD = (DRIFT, BROKEN)


@dataclass(frozen=True)
class Check:
    """A check. All times are in UTC.

    Attributes:
        kind: drift, performance, or estimated performance.
        version: of the model that scored the rows.
        start: rows that were scored after this moment.
        end: and until this one.
        reference: what they were compared with.
        rows: number of rows.
        verdict: in a word or two.
        sentence: the verdict with its figures.
        report_key: of its page in the bucket `reports`.
        checked_at: when.
        checked_by: the DAG or the user.
        differences: number of differences that are drift; None of another kind of check.
        tests: number of comparisons; None of another kind of check.
        metric: by which a performance is measured; None for drift.
        seen: its value on the rows whose truth is known.
        promised: its value on the hold-out.
    """

    kind: Kind
    version: int
    start: datetime
    end: datetime
    reference: str
    rows: int
    verdict: str
    sentence: str
    report_key: str | None
    checked_at: datetime
    checked_by: str
    differences: int | None = None
    tests: int | None = None
    metric: str | None = None
    seen: float | None = None
    promised: float | None = None

    @property
    def is_bad(self) -> bool:
        """Whether a person should look at it."""
        return self.verdict in BAD


def checks(name: str, kind: Kind, limit: int = 100) -> list[Check]:
    """Return the checks of a data set of one kind, the newest first.

    Raises:
        ServiceError: Postgres is not available.
    """
    # of the figures only what is shown: there may be hundreds of features
    found = fetch(
        "SELECT kind, model_version, window_start, window_end, reference, rows, verdict,"
        " coalesce(figures->>'sentence', ''), report_key, checked_at, checked_by,"
        " jsonb_array_length(jsonb_path_query_array(figures, '$.findings[*] ? (@.verdict == \"drift\")')),"
        " jsonb_array_length(figures->'findings'), figures->>'metric',"
        " jsonb_build_object('seen', figures->'seen', 'promised', figures->'promised')::text"
        " FROM monitoring.checks WHERE dataset = $1 AND kind = $2 ORDER BY window_end DESC, check_id DESC LIMIT $3",
        *(name, kind, limit),
    )
    return [_check(*row) for row in found]


def _check(*row: Any) -> Check:
    kind, version, start, end, reference, rows, verdict, sentence, key, at, by, drifted, tests, metric, scores = row
    values = json.loads(scores)
    start, end, at = (moment.astimezone(UTC) for moment in (start, end, at))
    is_drift = tests is not None
    return Check(
        kind, version, start, end, reference, rows, verdict, sentence, key, at, by,
        drifted if is_drift else None, tests, metric, _value(values["seen"]), _value(values["promised"]),
    )  # fmt: skip


def _value(score: Mapping[str, float] | None) -> float | None:
    return score["value"] if score else None
