"""The penguins are the package's, uncleaned, each bird once a season, and the test file does not name the species."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "minio"))  # as when the generator runs as a script

from sample_package import package_file

MINIO = Path(__file__).resolve().parents[2] / "minio"
PARTS = ("train", "test")


@pytest.fixture(scope="module")
def penguins() -> dict[str, pd.DataFrame]:
    """The cells as they stand."""
    files = {part: MINIO / "samples" / f"{part}_penguins.csv" for part in PARTS}
    return {part: pd.read_csv(file, dtype=str, keep_default_na=False) for part, file in files.items()}


def test_the_committed_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, MINIO / "generate_samples.py", "penguins", "--out", tmp_path], check=True)
    for name in (f"{part}_penguins.csv" for part in PARTS):
        assert (tmp_path / name).read_bytes() == (MINIO / "samples" / name).read_bytes()


def test_the_weighed_penguins_are_the_same_without_what_identifies_them(tmp_path: Path) -> None:
    subprocess.run([sys.executable, MINIO / "generate_samples.py", "penguin_mass", "--out", tmp_path], check=True)
    frames = {}
    for part in PARTS:
        path = MINIO / "samples" / f"{part}_penguin_mass.csv"
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        frames[part] = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert (len(frames["train"]), len(frames["test"])) == (223, 120)
    assert (frames["train"]["Body Mass (g)"] != "NA").all()
    assert [name for name in frames["train"] if name != "Body Mass (g)"] == list(frames["test"])
    assert not {"studyName", "Individual ID", "Sample Number"} & set(frames["train"])


def test_header_and_rows_are_the_package_s() -> None:
    raw = package_file("palmerpenguins", "palmerpenguins/data/penguins-raw.csv").read_bytes().splitlines()
    train = (MINIO / "samples" / "train_penguins.csv").read_bytes().splitlines()
    assert train == [line for line in raw if not line.startswith(b"PAL0910")]
    assert b"Culmen Length (mm)" in train[0]


def test_the_test_file_is_the_last_season_without_the_species(penguins: dict[str, pd.DataFrame]) -> None:
    train, test = penguins["train"], penguins["test"]
    assert list(test) == [name for name in train if name != "Species"]
    assert (len(train), len(test)) == (224, 120)
    assert train["Date Egg"].max() < test["Date Egg"].min()


def test_a_bird_is_its_season_and_its_id(penguins: dict[str, pd.DataFrame]) -> None:
    everyone = pd.concat(penguins)
    assert not everyone.duplicated(["studyName", "Individual ID"]).any()
    # The id alone is a nest's number, given anew each season, to whatever species.
    assert penguins["train"].groupby("Individual ID")["Species"].nunique().max() > 1


def test_every_season_knows_three_species(penguins: dict[str, pd.DataFrame]) -> None:
    assert (penguins["train"].groupby("studyName")["Species"].nunique() == 3).all()


def test_a_package_that_is_missing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"data/x\.csv comes with no-such-package, which is not installed"):
        package_file("no-such-package", "data/x.csv")
    with pytest.raises(FileNotFoundError, match="this version of palmerpenguins does not have it"):
        package_file("palmerpenguins", "palmerpenguins/data/emperors.csv")
