"""The segments in which a model lost most against its hold-out."""

import numpy as np
import pandas as pd

from ml_platform.monitoring.segments import LEAST_ROWS, MOST_SEGMENTS, segments
from ml_platform.specs.parts import ColumnType
from tests.ml_platform.monitoring.test_performance import BINARY, NUMBER

KINDS: dict[str, ColumnType] = {"city": "category", "age": "number", "is_member": "boolean"}


def rows(number: int, seed: int, missed_in_rome: float = 0.1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    city = random.choice(["Rome", "Oslo", "Lima"], number)
    label = random.integers(0, 2, number)
    is_missed = random.random(number) < np.where(city == "Rome", missed_in_rome, 0.1)
    columns = {"city": city, "age": random.normal(40, 9, number), "is_member": random.integers(0, 2, number) * 1.0}
    return pd.DataFrame({**columns, "label": label, "prediction": np.where(is_missed, 1 - label, label)})


def test_the_segment_that_became_worse_comes_first_and_is_the_only_one() -> None:
    first, *others = segments(BINARY, KINDS, rows(3000, 0), rows(3000, 1, missed_in_rome=0.3))
    assert (first.column, first.group, first.is_worse) == ("city", "Rome", True)
    assert first.promised.value > first.seen.interval.high
    assert not any(one.is_worse for one in others if one.column == "city")
    assert len(others) < MOST_SEGMENTS


def test_where_nothing_changed_few_segments_are_called_worse() -> None:
    worse = [any(one.is_worse for one in segments(BINARY, KINDS, rows(800, 0), rows(800, n))) for n in range(1, 31)]
    assert sum(worse) <= 3


def test_small_segments_are_left_out_and_new_values_have_no_promise() -> None:
    later = rows(200, 1)
    later.loc[: LEAST_ROWS + 5, "city"] = "Kyiv"
    later.loc[LEAST_ROWS + 6 : LEAST_ROWS + 16, "city"] = "Nice"
    assert not {"Kyiv", "Nice"} & {one.group for one in segments(BINARY, KINDS, rows(900, 0), later)}


def test_of_numbers_a_larger_error_is_worse() -> None:
    random = np.random.default_rng(0)
    holdout, later = (
        pd.DataFrame({"age": random.normal(40, 9, 600), "label": random.normal(0, 1, 600)}) for _ in range(2)
    )
    holdout["prediction"] = holdout["label"] + random.normal(0, 1, 600)
    later["prediction"] = later["label"] + random.normal(0, np.where(later["age"] > 46, 4, 1), 600)
    found = segments(NUMBER, {"age": "number"}, holdout, later)
    assert [one.is_worse for one in found] == [True, False, False, False]
    assert found[0].group.endswith(" or more")
