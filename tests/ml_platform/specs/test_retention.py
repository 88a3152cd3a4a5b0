"""How long things are kept: the data set's word, then the platform's, else for ever."""

from datetime import timedelta
from pathlib import Path

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import dataset, platform_options
from ml_platform.specs.platform import PLATFORM_FILE
from ml_platform.specs.retention import STORES, Retention, kept_for


def test_without_a_word_everything_is_kept() -> None:
    assert [kept_for(store, Retention(), Retention()) for store in STORES] == [None] * len(STORES)


@pytest.mark.parametrize(
    ("own", "platform", "kept"),
    [
        (None, "30d", timedelta(days=30)),
        ("2w", "30d", timedelta(days=14)),
        ("forever", "30d", None),
        ("6h", None, timedelta(hours=6)),
        (None, "forever", None),
    ],
)
def test_the_word_of_the_data_set_is_stronger(own, platform, kept) -> None:
    assert kept_for("results", Retention(results=own), Retention(results=platform)) == kept


@pytest.mark.parametrize("value", ["always", "0d", "90", "90000w"])
def test_a_value_that_is_no_duration_is_named(tmp_path: Path, value: str) -> None:
    (tmp_path / PLATFORM_FILE).write_text(f"kind: platform\nretention: {{results: {value}}}\n")
    with pytest.raises(ConfigurationError, match=r"retention\.results: .*"):
        platform_options(tmp_path)


@pytest.mark.parametrize("value", ["7d", "90d", "2w", "forever"])
def test_airflow_s_records_are_kept_for_a_week_at_least(tmp_path: Path, value: str) -> None:
    (tmp_path / PLATFORM_FILE).write_text(f"kind: platform\nretention: {{airflow: {value}}}\n")
    assert platform_options(tmp_path).retention.airflow == value
    (tmp_path / PLATFORM_FILE).write_text("kind: platform\nretention: {airflow: 6d}\n")
    with pytest.raises(ConfigurationError, match=r"6d is too short: Airflow's records are kept for 7d at least"):
        platform_options(tmp_path)


def test_it_does_not_change_the_meaning_of_the_data() -> None:
    auto = dataset("auto")
    assert auto.model_copy(update={"retention": Retention(results="1d")}).sha256 == auto.sha256
