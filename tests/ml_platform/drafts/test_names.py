import pytest

from ml_platform.drafts.names import entity_words, is_key_like, is_period, is_usual_input, label_evidence, words


@pytest.mark.parametrize("name", ["customerID", "CUSTOMER_ID", "customer id", "Customer-Id 7"])
def test_the_words_of_a_name(name):
    assert words(name) == ["customer", "id"]
    assert entity_words(name) == ["customer"]


@pytest.mark.parametrize(
    "name", ["customer_id", "userid", "pidnum", "Kundennr", "INDEX", "id_case", "idcase", "Invoice No", "ID"]
)
def test_names_of_keys(name):
    assert is_key_like(name)


@pytest.mark.parametrize("name", ["town", "paid_at", "paid", "humid", "number_of_doors", "code_smells", "ideal", "7"])
def test_names_of_other_columns(name):
    assert not is_key_like(name)


def test_periods_and_usual_inputs_are_known_by_their_last_word():
    assert all(map(is_period, ("year", "sched_dep_time", "BirthDate", "Hour")))
    assert not any(map(is_period, ("day_care", "timer", "")))
    assert all(map(is_usual_input, ("age", "Customer Age", "pickup_latitude", "Sex")))
    assert not any(map(is_usual_input, ("age_group_size", "wage", "")))


@pytest.mark.parametrize(
    ("name", "values", "is_number", "points"),
    [
        ("target", 3, False, 6),
        ("target", 900, True, 6),
        ("is_churn", 2, False, 6),
        ("TARGET_FLAG", 2, False, 6),
        ("income", 2, False, 6),
        ("income", 5, False, 0),  # a level of income is usually an input
        ("Loan_Status", 3, False, 3),
        ("risk class", 3, False, 6),
        ("disease", 2, False, 6),
        ("disease", 4, False, 5),  # which one, and not whether
        ("species", 3, False, 5),
        ("price", 900, True, 5),
        ("Miles_per_Gallon", 90, True, 5),
        ("price", 3, False, 0),
        ("value_eur", 900, True, 5),  # a unit says nothing
        ("SalePrice", 900, True, 2),
        ("churn", 900, True, 0),  # no number
        ("size", 2, False, 0),
        ("", 2, False, 0),
    ],
)
def test_the_evidence_of_a_name(name, values, is_number, points):
    found, reason = label_evidence(name, values=values, is_number=is_number)
    assert found == points
    assert bool(reason) == bool(points)
