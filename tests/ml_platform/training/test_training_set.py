"""A frozen training set is read back as it was frozen, or not at all."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.storage import object_store
from ml_platform.training.results import Source, TrainingSetReference
from ml_platform.training.training_set import content_hash, entity_ids, load, model_input
from tests.ml_platform.keyless import without_key
from tests.ml_platform.training.trainings import make_dataset, make_weeks
from tests.ml_platform.training.trainings import make_frame as drawn_frame


def make_frame() -> pd.DataFrame:
    return drawn_frame().astype({"event_timestamp": "datetime64[ns, UTC]"})  # as it comes from the feature store


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch):
    """Freeze a frame into memory; return its reference."""

    def freeze(frame: pd.DataFrame, path) -> TrainingSetReference:
        frame.to_parquet(path, index=False)
        monkeypatch.setattr(object_store, "get", lambda bucket, key: path.read_bytes())
        spec, sha256, sources = make_dataset().sha256, content_hash(frame), [Source("a.csv", "00", 3)]
        return TrainingSetReference("shop", spec, "key.parquet", sha256, len(frame), ["0", "1"], [0, 1], sources)

    return freeze


def test_what_is_read_back_equals_what_was_frozen(frozen, tmp_path) -> None:
    frame = make_frame()
    training_set = load(make_dataset(), frozen(frame, tmp_path / "a"))
    pd.testing.assert_frame_equal(training_set.frame, frame, check_exact=True)
    assert training_set.sha256 == content_hash(frame)
    assert (training_set.uri, training_set.sources) == ("s3://mlflow/key.parquet", [Source("a.csv", "00", 3)])


def test_a_missing_category_is_nan_and_never_none(frozen, tmp_path) -> None:
    back = load(make_dataset(), frozen(make_frame(), tmp_path / "a")).frame
    for name in ("town", "blank"):
        assert {type(value) for value in back[name] if not isinstance(value, str)} == {float}
    assert back["blank"].isna().all()
    assert back[["age", "income", "member", "empty"]].dtypes.eq("float64").all()


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.assign(buys=1 - frame["buys"]),
        lambda frame: frame.iloc[::-1],
        lambda frame: frame.iloc[1:],
        lambda frame: frame.assign(age=frame["age"].astype("float32")).astype({"age": "float64"}),
        lambda frame: frame.assign(town=frame["town"].fillna("nan")),
    ],
    ids=["labels", "order", "a row", "a digit", "a missing value"],
)
def test_a_changed_file_is_refused(frozen, tmp_path, change) -> None:
    reference = frozen(make_frame(), tmp_path / "a")
    frozen(change(make_frame()), tmp_path / "b")
    with pytest.raises(RegistryError, match=r"content hash is .*, expected"):
        load(make_dataset(), reference)


@pytest.mark.parametrize("data", [b"no Parquet", b"", make_frame().drop(columns="age").to_parquet()])
def test_a_file_that_is_no_training_set_is_refused(frozen, tmp_path, data: bytes) -> None:
    reference = frozen(make_frame(), tmp_path / "a")
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(RegistryError, match="is not the frozen training set"):
        load(make_dataset(), reference)


def test_the_hash_counts_names_types_and_values_but_no_index() -> None:
    frame = make_frame()
    assert content_hash(frame) == content_hash(frame.set_index(pd.Index(range(5, 605))))
    others = [frame.rename(columns={"age": "years"}), frame.astype({"buys": "int32"}), frame[frame.columns[::-1]]]
    assert len({content_hash(one) for one in [frame, *others]}) == 4


def test_a_model_gets_only_features_in_their_order() -> None:
    raw = pd.DataFrame(
        {
            "blank": [None, None], "buys": [1, 0], "town": ["Ulm", None], "member": [True, None], "id": [1, 2],
            "empty": [None, None], "income": [1, 2], "age": [3.5, np.nan], "stranger": [0, 0],
        }
    )  # fmt: skip
    given = model_input(make_dataset(), raw)
    assert list(given) == ["age", "income", "member", "empty", "town", "blank"]
    assert given.dtypes.astype(str).tolist() == ["float64"] * 4 + ["object"] * 2
    assert given["member"].tolist()[0] == 1.0
    assert np.isnan(given["member"].tolist()[1])
    assert np.isnan(given["town"].tolist()[1])


def test_a_yaml_that_was_changed_meanwhile_is_named(frozen, tmp_path) -> None:
    reference = frozen(make_frame(), tmp_path / "a")
    changed = make_dataset().model_copy(update={"missing": ("NA",)})
    with pytest.raises(ConfigurationError, match=r"datasets/shop.yaml has changed since .* start a new training"):
        load(changed, reference)


def test_keys_of_several_columns_are_one_text_that_tells_them_apart() -> None:
    dataset = make_weeks()
    keys = [("1", "23"), ("12", "3"), ("1", "23")]
    frame = pd.DataFrame(keys, columns=list(dataset.keys))
    assert pd.factorize(entity_ids(dataset, frame))[0].tolist() == [0, 1, 0]


def test_without_a_key_rows_with_the_same_features_count_as_one_entity() -> None:
    frame = pd.DataFrame({"row_id": ["aa:1:77", "aa:2:88", "bb:1:77"]})
    assert entity_ids(without_key(make_dataset()), frame).tolist() == ["77", "88", "77"]
