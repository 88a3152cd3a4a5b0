import pytest

from ml_platform.drafts.names import (
    entity_words,
    has_outcomes,
    is_in_title,
    is_key_like,
    is_period,
    is_usual_input,
    label_evidence,
    words,
)


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
    assert all(map(is_period, ("year", "sched_dep_time", "BirthDate", "Hour", "YrSold", "year_of_birth")))
    assert not any(map(is_period, ("day_care", "timer", "days", "hours", "")))
    assert all(map(is_usual_input, ("age", "Customer Age", "pickup_latitude", "Sex", "long", "smoker")))
    assert not any(map(is_usual_input, ("age_group_size", "wage", "employed", "")))
    assert all(map(is_usual_input, ("in.subcohort", "yrs_married", "cv_fold", "trial_block"))), "of persons and studies"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("churned", "churn"),
        ("churn", "customer-churn_2026"),
        ("is_phishing", "phishing"),
        ("Kyphosis", "kyphosis"),
        ("bike demand", "BikeDemand"),
        ("wage", "wages1"),
    ],
)
def test_a_file_may_be_named_after_the_label(name, title):
    assert is_in_title(name, title)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("churned", "customers"),
        ("age", "age"),
        ("carat", "cars"),
        ("bike demand", "bikes"),
        ("is", "is_it"),
        ("x1", ""),
    ],
    ids=["another word", "an input", "another beginning", "one of two words", "no word of its own", "no title"],
)
def test_a_file_that_is_not_named_after_a_column(name, title):
    assert not is_in_title(name, title)


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
        ("saleprice", 900, True, 2),
        ("logprice", 900, True, 0),  # a transformed one is a feature, or the price is there as well
        ("saleprice", 3, False, 0),
        ("fustat", 2, False, 5),
        ("marstat", 4, False, 0),
        ("type", 3, False, 1),
        ("MSSubClass", 15, True, 0),
        ("churn", 900, True, 0),  # no number
        ("size", 2, False, 0),
        ("", 2, False, 0),
    ],
)
def test_the_evidence_of_a_name(name, values, is_number, points):
    found, reason = label_evidence(name, values=values, is_number=is_number)
    assert found == points
    assert bool(reason) == bool(points)


def test_two_values_that_are_outcomes_are_needed():
    assert has_outcomes(["Isolated", "Released", "Deceased"])
    assert not has_outcomes(["Released", "Isolated"])
    assert not has_outcomes(["u", "v"])
