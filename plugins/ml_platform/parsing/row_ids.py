"""The ids of rows whose files have no key, such as `b1946ac92492d234:17:9c3fa2b15d0e`.

An id has three parts: the first digits of the SHA-256 of the bytes that hold the row; its number among the rows there,
from 1, bad rows included; and a digest of its feature values. So the same bytes, read by the same spec, give the same
ids, and rows with the same features share the last part.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SOURCE_DIGITS, DIGEST_DIGITS = 16, 12
NUMBER = "row"  # the name of the row's number in results and answers
Words = NDArray[np.uint64]


def row_ids(source: str, numbers: Sequence[int], features: Mapping[str, pa.Array]) -> pa.Array:
    """Return the ids of rows.

    Args:
        source: SHA-256 of the bytes that hold the rows, in hexadecimal digits.
        numbers: of the rows, shape (n_rows,).
        features: the typed feature columns, each of shape (n_rows,). Missing values do not count, so that a column that
            is added to the spec does not separate earlier rows from later ones that have no value for it.

    Returns:
        Texts, shape (n_rows,).
    """
    digests = np.zeros(len(numbers), dtype=np.uint64)
    for name, values in features.items():
        is_present = values.is_valid().to_numpy(zero_copy_only=False)
        # Mixed before, too: else the text of the column's own name would give 0, as a missing value does.
        words = _mixed(_mixed(_bits(values)) ^ np.uint64(_word(name)))
        digests += np.where(is_present, words, np.uint64(0))
    texts = (f"{digest:016x}"[:DIGEST_DIGITS] for digest in digests.tolist())
    beginning = source[:SOURCE_DIGITS]
    ids = [f"{beginning}:{number}:{digest}" for number, digest in zip(numbers, texts, strict=True)]
    return pa.array(ids, pa.string())


def _bits(values: pa.Array) -> Words:
    """Return 64 bits for each value, equal ones for equal values; any for a missing one."""
    if pa.types.is_string(values.type):
        encoded = values.fill_null("").dictionary_encode()
        by_code = np.array([_word(text) for text in encoded.dictionary.to_pylist()], dtype=np.uint64)
        words: Words = by_code[encoded.indices.to_numpy()]
    elif pa.types.is_floating(values.type):
        words = (values.fill_null(0.0).to_numpy() + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    else:
        words = values.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
    return words


def _word(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def _mixed(words: Words) -> Words:
    """Return the words with their bits mixed, so that sums of them hardly collide.

    The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def row_numbers(ids: pa.Array) -> pa.Array:
    """Return the number of each row in its file or request, int64, shape (n_rows,)."""
    return pc.list_element(pc.split_pattern(ids, ":"), 1).cast(pa.int64())


def value_digests(ids: pd.Series) -> pd.Series:
    """Return the part of each id that rows with the same features share, shape (n_rows,)."""
    return ids.str.rpartition(":")[2]
