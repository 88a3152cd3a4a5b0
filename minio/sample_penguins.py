"""The penguins of the Palmer Archipelago, from the package `palmerpenguins`: three species, three seasons.

Nothing is cleaned: the header has units in parentheses, missing values are `NA`, remarks are free text. The test file
is the last season, without the species.
"""

import csv
from pathlib import Path

from sample_package import package_file

TEST_SEASON = "PAL0910"
LABEL = "Species"


def generate(out: Path) -> None:
    """Write `train_penguins.csv` (224 rows) and `test_penguins.csv` (120 rows) into the folder `out`."""
    raw = package_file("palmerpenguins", "palmerpenguins/data/penguins-raw.csv")
    with raw.open(encoding="utf-8", newline="") as file:
        penguins = list(csv.DictReader(file))
    header = list(penguins[0])
    train = [penguin for penguin in penguins if penguin["studyName"] != TEST_SEASON]
    test = [penguin for penguin in penguins if penguin["studyName"] == TEST_SEASON]
    out.mkdir(parents=True, exist_ok=True)
    _write(out / "train_penguins.csv", header, train)
    _write(out / "test_penguins.csv", [name for name in header if name != LABEL], test)


def _write(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
