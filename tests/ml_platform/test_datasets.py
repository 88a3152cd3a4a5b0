"""datasets/*.yaml: what is accepted, and that every refusal names file, field and value."""

from pathlib import Path

import pytest

from ml_platform.datasets import DATASETS_DIR, dataset, datasets, read_table
from ml_platform.exceptions import ConfigurationError

AUTO = (DATASETS_DIR / "auto.yaml").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str, name: str = "auto") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_auto_has_its_26_columns_and_23_features() -> None:
    auto = dataset("auto")
    assert len(auto.columns) == 26
    assert len(auto.features) == 23
    assert not {"INDEX", "TARGET_FLAG", "TARGET_AMT"} & set(auto.features)


def test_a_leak_is_never_a_feature_but_is_kept_with_the_label() -> None:
    assert dataset("auto").label_columns == ("TARGET_FLAG", "TARGET_AMT")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("AGE: integer", "AGE: integr", ["columns.AGE.type", "'integr'", "integer"]),
        ("key: INDEX", "key: ID", ["entity.key", "'ID'"]),
        ("leaks: [TARGET_AMT]", "leaks: [AMOUNT]", ["leaks.0", "'AMOUNT'"]),
        ("folds: 5", "folds: 1", ["search.folds", "1", "2"]),
        ("random_forest:", "random_jungle:", ["random_jungle"]),
        ("on_bad_row: reject_row", "on_bad_row: shrug", ["on_bad_row", "'shrug'", "reject_file"]),
        ("event_time: null", "event_time: AGE", ["event_time", "'AGE'", "timestamp"]),
        ("name: auto\n", "name: car\n", ["'car'", "auto"]),
        ("  AGE: integer\n", "  AGE: integer\n  AGE: number\n", ["'AGE'", "twice"]),
        ("  AGE: integer\n", "  AGE: integer\n  event_timestamp: number\n", ["event_timestamp"]),
        ('  AGE: integer\n', '  AGE: integer\n  \'A"; DROP\': number\n', ['A"; DROP']),
        ("AGE: integer", "AGE: {type: category, min: 3}", ["AGE", "min"]),
        ("gate:", "gates:", ["gates"]),
        ("name: auto", "name: [auto", ["YAML"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_field_and_value(write, old: str, new: str, says: list[str]) -> None:
    assert old in AUTO
    path = write(AUTO.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_table(path)
    for part in [str(path), *says]:
        assert part in str(caught.value)


def test_two_data_sets_never_claim_the_same_upload(write, tmp_path: Path) -> None:
    write(AUTO)
    write(AUTO.replace("name: auto", "name: auto_eu", 1), "auto_eu")
    with pytest.raises(ConfigurationError, match="auto_eu"):
        datasets(tmp_path)


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"there are: .*auto"):
        dataset("boats")


@pytest.mark.parametrize(
    ("key", "owned"),
    [
        ("train_auto.csv", True),
        ("train_auto_2026-11.csv", True),
        ("processed/train_auto.csv", False),
        ("train_auto.csv.gz", False),
        ("test_auto.csv", False),
    ],
)
def test_settled_and_foreign_files_are_not_taken(key: str, owned: bool) -> None:
    assert dataset("auto").owns(key, "train") is owned


def test_one_entity_has_one_key(write) -> None:
    write(AUTO)
    path = write(AUTO.replace("name: auto", "name: bikes").replace("key: INDEX", "key: OTHER", 1), "bikes")
    path.write_text(path.read_text().replace("INDEX:", "OTHER:", 1))
    with pytest.raises(
        ConfigurationError, match=r"'customer' is integer INDEX in 'auto', but integer OTHER in 'bikes'"
    ):
        datasets(path.parent)
    path.write_text(path.read_text().replace("name: customer", "name: cyclist"))
    assert [one.name for one in datasets(path.parent)] == ["auto", "bikes"]
