"""The penguins of the Palmer Archipelago, from the package `palmerpenguins`: three species, three seasons.

Nothing is cleaned: the header has units in parentheses, missing values are `NA`, remarks are free text. The test file
is the last season, without the label. `penguins` asks for the species. `penguin_mass` asks for the body mass, and has
no key.
"""

import csv
from pathlib import Path

from sample_package import package_file

TEST_SEASON = "PAL0910"
SPECIES, MASS = "Species", "Body Mass (g)"
MEASURED = (
    *(SPECIES, "Island", "Clutch Completion", "Date Egg"),
    *("Culmen Length (mm)", "Culmen Depth (mm)", "Flipper Length (mm)", MASS, "Sex"),
)


def generate(out: Path) -> None:
    """Write `train_penguins.csv` (224 rows) and `test_penguins.csv` (120 rows) into the folder `out`."""
    penguins = _penguins()
    _write_parts(out, "penguins", list(penguins[0]), SPECIES, penguins)


def generate_mass(out: Path) -> None:
    """Write `train_penguin_mass.csv` (223 rows) and `test_penguin_mass.csv` (120 rows) into the folder `out`.

    A penguin that was not weighed is in the test file only.
    """
    penguins = [one for one in _penguins() if one["studyName"] == TEST_SEASON or one[MASS] != "NA"]
    _write_parts(out, "penguin_mass", list(MEASURED), MASS, penguins)


def _penguins() -> list[dict[str, str]]:
    raw = package_file("palmerpenguins", "palmerpenguins/data/penguins-raw.csv")
    with raw.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write_parts(out: Path, name: str, header: list[str], label: str, penguins: list[dict[str, str]]) -> None:
    train = [penguin for penguin in penguins if penguin["studyName"] != TEST_SEASON]
    test = [penguin for penguin in penguins if penguin["studyName"] == TEST_SEASON]
    out.mkdir(parents=True, exist_ok=True)
    _write(out / f"train_{name}.csv", header, train)
    _write(out / f"test_{name}.csv", [column for column in header if column != label], test)


def _write(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
