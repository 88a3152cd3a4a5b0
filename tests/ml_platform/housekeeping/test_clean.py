"""What is cleaned, with the stores replaced by lists."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.housekeeping import clean, prediction_entries
from ml_platform.specs.catalog import Catalog, catalog
from ml_platform.specs.platform import PlatformOptions
from ml_platform.specs.retention import STORES, PlatformRetention, Retention


@pytest.fixture
def cleaned(monkeypatch):
    """Return a function that sets the retention of all, and lists what is asked of a store."""
    known = catalog()
    auto = next(one for one in known.datasets if one.name == "auto")
    penguins = next(one for one in known.datasets if one.name == "penguins")
    calls = []

    def use(platform, own):
        tables = (auto.model_copy(update={"retention": own}), penguins)
        monkeypatch.setattr(clean, "catalog", lambda: Catalog(tables, known.tables, ()))
        options = PlatformOptions(retention=PlatformRetention(**platform.model_dump()))
        monkeypatch.setattr(clean, "platform_options", lambda folder: options)

        def cleaner(table, moment, dry_run):
            calls.append((table.name, round((datetime.now(UTC) - moment) / timedelta(days=1)), dry_run))
            return 2

        monkeypatch.setattr(clean, "CLEANERS", dict.fromkeys(STORES, cleaner))
        return calls

    return use


@pytest.mark.parametrize("store", STORES)
def test_nothing_is_looked_at_unless_a_file_says_so(cleaned, store) -> None:
    calls = cleaned(Retention(), Retention())
    assert clean.clean(store) == 0
    assert calls == []


def test_the_platform_speaks_for_data_sets_that_say_nothing(cleaned) -> None:
    calls = cleaned(Retention(results="9d"), Retention(results="3d"))
    assert clean.clean("results", dry_run=True) == 4
    assert calls == [("auto", 3, True), ("penguins", 9, True)]


def test_feature_tables_have_files_only(cleaned) -> None:
    calls = cleaned(Retention(processed="9d", predictions="9d"), Retention())
    clean.clean("processed")
    clean.clean("predictions")
    assert [name for name, *_ in calls] == ["auto", "penguins", "weather", "auto", "penguins"]


def test_a_run_is_bounded_and_a_dry_one_removes_nothing(monkeypatch) -> None:
    monkeypatch.setattr(clean, "MOST", 3)
    auto, removed = next(one for one in catalog().datasets if one.name == "auto"), []
    assert clean._each(auto, iter("abcdef"), str, removed.append, dry_run=True) == 3
    assert removed == []
    assert clean._each(auto, iter("abcdef"), str, removed.append, dry_run=False) == 3
    assert removed == ["a", "b", "c"]


def test_entries_are_removed_in_small_transactions_up_to_a_limit(monkeypatch) -> None:
    batches = [10, 10, 4, 0]
    monkeypatch.setattr(prediction_entries, "remove_before", lambda name, moment, most: batches.pop(0))
    auto = next(one for one in catalog().datasets if one.name == "auto")
    assert clean._clean_predictions(auto, datetime.now(UTC), dry_run=False) == 24
    batches = [10] * 9
    monkeypatch.setattr(clean, "MOST_ENTRIES", 25)
    assert clean._clean_predictions(auto, datetime.now(UTC), dry_run=False) == 30
