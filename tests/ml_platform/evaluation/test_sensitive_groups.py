"""The groups of a sensitive column: values, ranges of numbers, and missing ones."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.evaluation.sensitive_groups import MISSING, groups_of

TRAINED = pd.Series(np.arange(101, dtype="float64"), name="AGE")


def named(values, kind="integer", trained=TRAINED, cuts=None):
    found = groups_of(pd.Series(values, name="AGE"), kind, trained, cuts)
    assert found.name == "AGE"
    return found.tolist(), found.cat.categories.tolist()


def test_each_value_of_a_category_is_a_group_in_the_order_of_the_alphabet():
    assert named(["b", np.nan, "a", "b"], "category") == (["b", MISSING, "a", "b"], ["a", "b", MISSING])


def test_numbers_become_quartiles_of_the_training_rows():
    texts = ["under 25", "25 to under 50", "50 to under 75", "75 or more"]
    assert named([-3.0, 24.9, 25.0, 74.0, 75.0, 900.0, np.nan]) == (
        [texts[0], texts[0], texts[1], texts[2], texts[3], texts[3], MISSING], [*texts, MISSING],
    )  # fmt: skip


def test_cuts_are_where_groups_begin():
    texts = ["under 18", "18 to under 65.5", "65.5 or more"]
    assert named([17.9, 18.0, 65.5], "number", cuts=[18, 65.5]) == (texts, [*texts, MISSING])


def test_few_different_numbers_are_groups_of_their_own():
    children = pd.Series([0.0] * 90 + [1.0, 2.0])
    assert named([2.0, 0.0, 11.0], trained=children) == (["2", "0", "11"], ["0", "2", "11", MISSING])


def test_numbers_that_are_close_keep_the_digits_that_tell_them_apart():
    texts = ["under 1000001", "1000001 to under 1000002", "1000002 or more"]
    assert named([1e6, 1000001.5, 2e6], "number", cuts=[1000001, 1000002]) == (texts, [*texts, MISSING])
    dates = pd.Series([20150101.0, 20150102.0])
    assert named([20150101.0], trained=dates)[0] == ["2.01501e+07"]
    assert named([20150101.0, 20150102.0], trained=dates)[0] == ["20150101", "20150102"]


def test_a_category_with_the_name_of_missing_values_is_another_group():
    assert named([MISSING, np.nan], "category") == (["'(missing)'", MISSING], ["'(missing)'", MISSING])


def test_booleans_are_true_and_false():
    assert named([1.0, np.nan, 0.0], "boolean") == (["true", MISSING, "false"], ["false", "true", MISSING])


@pytest.mark.parametrize(
    "trained", [[np.nan, np.nan], [0.0] * 99 + list(range(1, 9))], ids=["empty", "nearly_constant"]
)
def test_columns_that_have_no_quartiles_are_no_error(trained):
    texts, _ = named([5.0, np.nan], "number", trained=pd.Series(trained))
    assert texts[-1] == MISSING
