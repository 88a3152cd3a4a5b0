"""Causes in `monitoring.checks`, the table of what is found about live models."""

from collections.abc import Sequence
from typing import Any

from ml_platform.alerts.causes import Cause, Look
from ml_platform.alerts.store import Connection
from ml_platform.specs.alerts import EventName

# kind of check and its bad verdict; any other verdict ends the state
BAD: dict[tuple[str, str], EventName] = {
    ("drift", "drift"): "drift",
    ("performance", "below the promise"): "performance",
    ("estimated performance", "below the promise"): "performance",
}
# Of the performance, the newest check counts, whether by the truth or by an estimate: one state, told once. A check of
# a data set that is retrained counts as soon as it is decided what follows.
STATE = "replace(c.kind, 'estimated ', '')"
LAST = f"""
SELECT DISTINCT ON (c.dataset, {STATE}) c.dataset, c.kind, c.verdict, {STATE}, c.figures ->> 'sentence',
       c.report_key, r.is_started, r.reason
FROM monitoring.checks c LEFT JOIN LATERAL (
    SELECT is_started, reason FROM monitoring.retrainings
    WHERE dataset = c.dataset AND window_end >= c.window_end ORDER BY window_end LIMIT 1
) r ON true
WHERE NOT (c.dataset = ANY(%s) AND r.is_started IS NULL AND c.kind || c.verdict = ANY(%s)
           AND c.checked_at > now() - interval '10 minutes')
ORDER BY c.dataset, {STATE}, c.window_end DESC, c.check_id DESC"""  # noqa: S608 – constants
STARTED = "Nothing must be done now: the gate decides whether the new model goes live."


def findings(connection: Connection, retrained: Sequence[str] = ()) -> Look:
    """Return the data sets whose last check of a kind has a bad verdict.

    Args:
        connection: to the database `platform`.
        retrained: names of the data sets for which checks start trainings.
    """
    followed = [kind + verdict for kind, verdict in BAD if not kind.startswith("estimated")]
    return Look.of(
        dict.fromkeys(BAD.values()),
        [
            Cause(BAD[kind, verdict], f"{dataset}/{state}", _facts(*found), dataset)
            for dataset, kind, verdict, state, *found in connection.execute(LAST, (list(retrained), followed))
            if (kind, verdict) in BAD
        ],
    )


def _facts(sentence: str, page: str, is_started: bool | None, reason: str | None) -> dict[str, Any]:
    checked = f"{sentence} The page {page} in the bucket reports has all figures."
    if is_started is None:
        return {"reason": checked}
    if is_started:
        return {"reason": f"{checked} A retraining begins: {reason}.", "advice": STARTED}
    return {"reason": f"{checked} No retraining begins: {reason}."}
