"""The rows that people are asked to label: those without an answer, and what became of the answers."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch

FILES = 20


@dataclass(frozen=True)
class Question:
    """A row whose label is asked for.

    Attributes:
        ask_id: its id.
        key: values by key column.
        values: of the row by column, as they were scored; without the key.
        event_time: of the row; without one, when its file came.
        version: of the model that scored it.
        asked_by: who had it asked.
        asked_at: when.
    """

    ask_id: str
    key: dict[str, Any]
    values: dict[str, Any]
    event_time: datetime
    version: int
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True)
class Progress:
    """How many rows were asked about.

    Attributes:
        asked: all of them.
        open: without an answer.
        kept: answers of this person that are not handed in.
        kept_by_others: answers of others that are not handed in.
    """

    asked: int
    open: int
    kept: int
    kept_by_others: int


@dataclass(frozen=True)
class HandedIn:
    """A file with answers that were given on the home page.

    Attributes:
        key: in the bucket `label`.
        labelled_by: the person.
        answers: in it.
        answered_at: when its last answer was given.
        outcome: loaded, rejected or duplicate; None as long as it waits.
        rows_loaded: answers that are loaded.
        rows_rejected: answers that are bad.
        settled_at: when it was loaded or rejected.
    """

    key: str
    labelled_by: str
    answers: int
    answered_at: datetime
    outcome: str | None
    rows_loaded: int
    rows_rejected: int
    settled_at: datetime | None


_WITHOUT_ANSWER = """dataset = $1
    AND NOT EXISTS (SELECT FROM labelling.drafts d WHERE (d.dataset, d.ask_id) = (a.dataset, a.ask_id))
    AND NOT EXISTS (SELECT FROM labelling.answers b WHERE (b.dataset, b.ask_id) = (a.dataset, a.ask_id))"""
_NEXT = f"""
SELECT ask_id, entity_key::text, scored_values::text, event_time, model_version, asked_by, asked_at
FROM labelling.asked a WHERE {_WITHOUT_ANSWER}
ORDER BY ask_id = ANY(string_to_array($3, ' ')), md5(ask_id || $2) LIMIT 1"""  # noqa: S608 – constants
_PROGRESS = f"""
SELECT (SELECT count(*) FROM labelling.asked WHERE dataset = $1),
    (SELECT count(*) FROM labelling.asked a WHERE {_WITHOUT_ANSWER}),
    count(*) FILTER (WHERE labelled_by = $2), count(*) FILTER (WHERE labelled_by <> $2)
FROM labelling.drafts WHERE dataset = $1 AND file_key IS NULL"""  # noqa: S608 – constants
_HANDED_IN = """
WITH files AS (
    SELECT file_key, min(labelled_by) AS labelled_by, count(*) AS answers, max(given_at) AS given_at
    FROM labelling.drafts WHERE dataset = $1 AND file_key IS NOT NULL GROUP BY 1 ORDER BY 1 DESC LIMIT $2
)
SELECT f.file_key, f.labelled_by, f.answers, f.given_at, s.outcome, coalesce((s.report ->> 'rows_loaded')::bigint, 0),
    coalesce((s.report ->> 'rows_rejected')::bigint, 0), s.arrived_at
FROM files f LEFT JOIN (
    SELECT DISTINCT ON (object_key) object_key, outcome, report, arrived_at FROM uploads.arrivals
    WHERE dataset = $1 AND purpose = 'train' AND object_key IN (SELECT file_key FROM files)
    ORDER BY object_key, arrival_id DESC
) s ON s.object_key = f.file_key ORDER BY f.file_key DESC"""


def next_question(dataset: Dataset, person: str, skipped: tuple[str, ...] = ()) -> Question | None:
    """Return a row without an answer; None if there is none.

    Each person has an order of their own, by chance: so two people who answer at the same time seldom see the same row.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        person: who is to answer.
        skipped: ids of rows that come last.
    """
    found = fetch(_NEXT, dataset.name, person, " ".join(skipped))
    if not found:
        return None
    ask_id, key, values, *others = found[0]
    entity, row = json.loads(key), json.loads(values)
    return Question(ask_id, entity, {name: value for name, value in row.items() if name not in entity}, *others)


def progress(dataset: Dataset, person: str) -> Progress:
    """Return how many rows were asked about, and how many have no answer."""
    return Progress(*map(int, fetch(_PROGRESS, dataset.name, person)[0]))


def handed_in(dataset: Dataset) -> list[HandedIn]:
    """Return the newest files with answers that were given one by one, the newest first."""
    return [HandedIn(*row) for row in fetch(_HANDED_IN, dataset.name, FILES)]
