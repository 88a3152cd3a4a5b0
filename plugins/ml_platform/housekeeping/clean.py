"""Remove what is older than its retention from one store, or list it: bounded, idempotent, data set by data set."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from ml_platform.housekeeping import candidate_runs, prediction_entries, stored_files
from ml_platform.specs.catalog import DATASETS_DIR, catalog, platform_options
from ml_platform.specs.retention import Store, kept_for
from ml_platform.specs.spec import Dataset, Table

log = logging.getLogger(__name__)

T = TypeVar("T")
MOST = 1_000  # files or runs that one task removes of a data set; the next day goes on
MOST_ENTRIES = 1_000_000  # of the log of predictions
ENTRIES = 10_000  # in one transaction
SHOWN = 20  # names that are logged


def clean(store: Store, *, dry_run: bool = False) -> int:
    """Remove what is too old from a store, of all data sets; return how many things.

    Args:
        store: what is looked at.
        dry_run: only list it.

    Raises:
        ConfigurationError: `datasets/platform.yaml` is invalid.
        ServiceError: a server failed; run it again.
    """
    known, platform = catalog(), platform_options(DATASETS_DIR).retention
    now, number = datetime.now(UTC), 0
    for table in (*known.datasets, *known.tables):
        age = kept_for(store, table.retention, platform)
        if age is not None and (store in ("processed", "rejected") or isinstance(table, Dataset)):
            number += CLEANERS[store](table, now - age, dry_run)
    log.info("%s: %s %s", store, f"{number:,}", "would be removed" if dry_run else "removed")
    return number


def _clean_files(rejected: bool, table: Table, moment: datetime, dry_run: bool) -> int:
    old = stored_files.settled_before(table, moment, rejected=rejected)
    return _each(table, old, str, stored_files.remove, dry_run)


def _clean_results(table: Table, moment: datetime, dry_run: bool) -> int:
    old = stored_files.results_before(table, moment) if isinstance(table, Dataset) else ()
    return _each(table, old, str, stored_files.remove, dry_run)


def _clean_candidates(table: Table, moment: datetime, dry_run: bool) -> int:
    old = candidate_runs.before(table.name, moment)
    return _each(table, old, lambda run: f"run {run.info.run_id}", candidate_runs.remove, dry_run)


def _clean_predictions(table: Table, moment: datetime, dry_run: bool) -> int:
    if dry_run:
        number = prediction_entries.count_before(table.name, moment)
        log.info("%s: %s entries of predictions.log from before %s", table.name, f"{number:,}", moment)
        return number
    number = 0
    while number < MOST_ENTRIES and (removed := prediction_entries.remove_before(table.name, moment, ENTRIES)):
        number += removed
    return number


def _each(table: Table, old: Iterable[T], name: Callable[[T], str], remove: Callable[[T], None], dry_run: bool) -> int:
    """Remove things, or list them; return how many."""
    chosen = list(islice(old, MOST))
    for thing in chosen:
        if not dry_run:
            remove(thing)
    for thing in chosen[:SHOWN]:
        log.info("%s: %s", table.name, name(thing))
    if len(chosen) > SHOWN:
        log.info("%s: and %s more", table.name, f"{len(chosen) - SHOWN:,}")
    return len(chosen)


CLEANERS: dict[Store, Callable[[Table, datetime, bool], int]] = {
    "processed": partial(_clean_files, False),
    "rejected": partial(_clean_files, True),
    "results": _clean_results,
    "predictions": _clean_predictions,
    "candidates": _clean_candidates,
}
