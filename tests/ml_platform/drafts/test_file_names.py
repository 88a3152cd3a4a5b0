"""Names that a file brings, also hostile ones."""

import pytest
from pydantic import TypeAdapter

from ml_platform.drafts.file_names import ending, safe_file_name, suggested_name
from ml_platform.specs.parts import Name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("train_churn.csv.gz", "churn"),
        ("House Prices 2026.parquet", "house_prices_2026"),
        ("2026-05 Kunden (Größe).csv", "kunden_gr_e"),
        ("train_.csv", "train"),
        ("..", "data"),
        ("x" * 80 + ".csv", "x" * 41),
    ],
)
def test_a_name_for_the_data_set_of_a_file(file: str, name: str) -> None:
    assert suggested_name(file) == name
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    ("file", "safe"),
    [
        ("churn.csv", "churn.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\churn.csv", "churn.csv"),
        ("a\nb: <img src=x>.csv", "a_b_img_src_x_.csv"),
        (".hidden", "hidden"),
        ("/", "data"),
    ],
)
def test_the_name_of_a_copy_is_harmless(file: str, safe: str) -> None:
    assert safe_file_name(file) == safe


@pytest.mark.parametrize(
    ("file", "expected"),
    [("a.csv", ".csv"), ("a.v2.csv", ".csv"), ("a.csv.gz", ".csv.gz"), ("a.gz", ".gz"), ("a", "")],
)
def test_the_ending_stays(file: str, expected: str) -> None:
    assert ending(file) == expected
