import random

import pytest

from ml_platform.drafts.guessing import guess_column
from ml_platform.drafts.label_leaks import PART, any_of_parts, label_leaks, likely_positive, sum_parts
from tests.ml_platform.drafts.support import profile_of

ROWS = range(300)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
NOISE = [i * 7 % 13 for i in ROWS]
RANDOM = random.Random(0)  # noqa: S311 – no secret


def failures(*, independent=0.0):
    """Return the flags of a machine: three ways to fail, one more that is often no failure, and their *or*."""
    flags = {name: [int(i % step == 1) for i in ROWS] for name, step in (("TWF", 31), ("HDF", 17), ("PWF", 23))}
    failed = [int(any(one)) for one in zip(*flags.values(), strict=True)]
    return flags | {"RNF": [int(RANDOM.random() < independent) for _ in ROWS], "failure": failed}


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["yes", "no", "yes"], "yes"),
        (["1", "0", "1"], "1"),
        (["good", "bad", "bad"], "bad"),
        (["gold", "basic", "basic"], "gold"),  # the rarer one
        (["true", "yes", "yes"], "true"),  # both mean yes: the rarer one
    ],
)
def test_the_positive_class_means_yes_or_is_the_rarer_one(cells, positive):
    assert likely_positive(guess_column("y", cells)) == positive


def test_a_flag_that_is_set_where_any_of_others_is_set_has_these_parts():
    assert any_of_parts(profile_of(**failures())) == {"failure": ["TWF", "HDF", "PWF"]}
    assert any_of_parts(profile_of(**failures(independent=0.05))) == {"failure": ["TWF", "HDF", "PWF"]}


def test_dummies_and_other_flags_have_no_parts():
    colours = {f"is_{c}": [int(i % 3 == n) for i in ROWS] for n, c in enumerate("rgb")}
    assert any_of_parts(profile_of(**colours, y=HALF)) == {}


def test_a_number_that_is_the_sum_of_two_others_has_these_parts():
    casual, registered = NOISE, [i * 11 % 17 for i in ROWS]
    total = [a + b for a, b in zip(casual, registered, strict=True)]
    assert sum_parts(profile_of(casual=casual, registered=registered, total=total)) == {
        "total": ("casual", "registered")
    }
    assert sum_parts(profile_of(casual=casual, registered=registered, total=[*total[:-1], 99])) == {}


def test_columns_that_reveal_the_label_leak_it_and_the_key_does_not():
    days = [f"2026-0{1 + half}-01" for half in HALF]
    state = ["done" if half else "open" for half in HALF]
    profile = profile_of(id=IDS, amount=[100 * h for h in HALF], state=state, closed=days, x=NOISE, target=HALF)
    assert label_leaks(profile, "target", is_number=False, others=["id"]) == {
        "amount": "1.00", "state": "1.00", "closed": "1.00"
    }  # fmt: skip


def test_the_parts_of_a_flag_are_leaks():
    profile = profile_of(id=IDS, x=NOISE, **failures())
    leaks = label_leaks(profile, "failure", is_number=False, others=["id"])
    assert leaks == {"TWF": PART, "HDF": PART, "PWF": PART}


def test_a_number_is_leaked_by_one_that_orders_the_rows_alike_and_by_the_parts_of_its_sum():
    wages = [RANDOM.randint(1000, 9000) for _ in ROWS]
    casual, registered = [RANDOM.randint(0, 900) for _ in ROWS], [RANDOM.randint(0, 900) for _ in ROWS]
    total = [a + b for a, b in zip(casual, registered, strict=True)]
    profile = profile_of(id=IDS, x=NOISE, wage=wages, double=[2 * w for w in wages], a=casual, b=registered, sum=total)
    leaks = label_leaks(profile, "wage", is_number=True, others=["id"])
    assert set(leaks) == {"double"}
    assert float(leaks["double"]) >= 0.95
    assert label_leaks(profile, "sum", is_number=True, others=["id"]) == {"a": PART, "b": PART}


def test_a_number_with_gaps_and_bad_values_is_compared_where_it_has_a_value():
    wages = [str(RANDOM.randint(1000, 9000)) for _ in ROWS]
    profile = profile_of(wage=["", "old", *wages[2:]], copy=wages, x=NOISE)
    assert set(label_leaks(profile, "wage", is_number=True, others=())) == {"copy"}
