"""The sample files of the demo."""

import gzip

import pytest

from ml_platform.commands.samples import first_row, names, rows, sample
from ml_platform.exceptions import ConfigurationError


def test_every_data_set_with_a_sample_has_a_training_and_a_test_file() -> None:
    assert names() == ["auto", "ecg", "flights", "penguin_mass", "penguins"]
    for name in names():
        assert sample(f"train_{name}").stat().st_size > sample(f"test_{name}").stat().st_size


def test_a_sample_is_found_with_any_suffix() -> None:
    assert sample("train_auto").name == "train_auto.csv"
    assert sample("weather").name == "weather.csv.gz"


@pytest.mark.parametrize("stem", ["churn", "train_aut", ""])
def test_a_sample_that_does_not_exist_lists_those_that_do(stem: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"there is no sample .* there are: auto, ecg, flights, penguin_mass, "
    ):
        sample(stem)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("auto", "INDEX", "4"),
        ("ecg", "patient", "P161"),
        ("flights", "origin", None),
        ("penguins", "Island", "Biscoe"),
        ("penguin_mass", "Island", "Biscoe"),
    ],
)
def test_the_first_row_of_every_sample_is_read(name: str, column: str, value: str | None) -> None:
    row = first_row(sample(f"test_{name}"))
    assert column in row
    assert value is None or row[column] == value


def test_a_byte_order_mark_is_not_part_of_the_header(tmp_path) -> None:
    text = '\ufeffid,town\r\n1,"Ulm,\nOst"\r\n2,Kiel\r\n'.encode()
    (tmp_path / "a.csv").write_bytes(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text))
    for path in tmp_path.iterdir():
        assert first_row(path) == {"id": "1", "town": "Ulm,\nOst"}
        assert list(rows(path)) == [{"id": "1", "town": "Ulm,\nOst"}, {"id": "2", "town": "Kiel"}]
