"""The ids of rows without a key: what they are made of, and what they have in common."""

from hashlib import sha256

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.parsing.row_ids import row_ids, row_numbers, value_digests

SOURCE = sha256(b"a file").hexdigest()
FEATURES = {
    "age": pa.array([40, 40, None]),
    "ratio": pa.array([0.5, 0.5, 0.5]),
    "town": pa.array(["Ulm", "Ulm", "Ulm"]),
}


def digests(**features: list[object]) -> list[str]:
    columns = {name: pa.array(values) for name, values in features.items()}
    ids = row_ids(SOURCE, range(1, len(next(iter(columns.values()))) + 1), columns)
    found: list[str] = value_digests(pd.Series(ids.to_pylist())).tolist()
    return found


def test_an_id_is_file_number_and_digest_of_the_features() -> None:
    """The text is stored for good, so it must not change."""
    assert row_ids(SOURCE, [1, 2, 7], FEATURES).to_pylist() == [
        "7365d029861e32c5:1:a4bc51138255",
        "7365d029861e32c5:2:a4bc51138255",
        "7365d029861e32c5:7:47cb5a936578",
    ]


def test_numbers_are_read_back() -> None:
    numbers = row_numbers(row_ids(SOURCE, [1, 2, 7], FEATURES))
    assert (numbers.to_pylist(), numbers.type) == ([1, 2, 7], pa.int64())
    assert row_numbers(row_ids(SOURCE, [], {"age": pa.array([], pa.int64())})).to_pylist() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1], "b": ["x"]}, {"b": ["x"], "a": [1]}),
        ({"a": [1]}, {"a": [1], "later": [None]}),
        ({"a": [0.0]}, {"a": [-0.0]}),
    ],
    ids=["order of the columns", "a later column without a value", "negative zero"],
)
def test_what_makes_no_difference(one: dict[str, list[object]], other: dict[str, list[object]]) -> None:
    assert digests(**one) == digests(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": [1], "b": [2]}, {"a": [2], "b": [1]}),
        ({"a": ["1"]}, {"a": [1]}),
        ({"a": ["x', 'b': 'y"]}, {"a": ["x"], "b": ["y"]}),
        ({"a": [None]}, {"a": [0]}),
        ({"a": [0.1]}, {"a": [0.1 + 1e-17 + 1e-16]}),
        ({"a": [True]}, {"a": [False]}),
        ({"a": ["a"]}, {"a": [None]}),
    ],
    ids=["swapped", "text and number", "quotes", "missing and zero", "the last digit", "booleans", "its own name"],
)
def test_what_makes_a_difference(one: dict[str, list[object]], other: dict[str, list[object]]) -> None:
    assert digests(**one) != digests(**other)


@given(st.lists(st.tuples(st.none() | st.integers(0, 2), st.none() | st.sampled_from(["a", "b"])), max_size=20))
def test_rows_share_a_digest_exactly_if_their_values_are_equal(rows: list[tuple[int | None, str | None]]) -> None:
    columns = {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.string())}
    ids = row_ids(SOURCE, range(1, len(rows) + 1), columns).to_pylist()
    assert len(set(ids)) == len(rows)
    found = [row_id.rpartition(":")[2] for row_id in ids]
    for i, one in enumerate(rows):
        assert [found[i] == other for other in found] == [one == other for other in rows]
