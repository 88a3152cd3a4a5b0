"""Missing numbers stay missing where an estimator has learned about them, and become the median elsewhere."""

import numpy as np
import pytest

from ml_platform.estimators.unseen_missing import UnseenMissingImputer

SEEN = np.array([[1.0, 4.0, np.nan], [np.nan, 6.0, np.nan], [3.0, 9.0, np.nan]])


def test_a_missing_number_is_filled_only_where_none_was_missing_before() -> None:
    imputer = UnseenMissingImputer().fit(SEEN)
    assert np.array_equal(imputer.transform(SEEN), SEEN, equal_nan=True)
    found = imputer.transform([[np.nan, np.nan, np.nan], [7.0, 8.0, 9.0]])
    assert np.array_equal(found, [[np.nan, 6, np.nan], [7, 8, 9]], equal_nan=True)


def test_it_keeps_the_columns() -> None:
    imputer = UnseenMissingImputer().fit(SEEN)
    assert imputer.get_feature_names_out(["a", "b", "c"]).tolist() == ["a", "b", "c"]
    assert imputer.indicator_ is None
    with pytest.raises(ValueError, match="expecting 3 features"):
        imputer.transform(SEEN[:, :2])
