"""Make the sample files of a data set; the same seed gives the same bytes.

`auto`: invented customers of a car insurer, drawn from the aggregates in `samples/auto_profile.json`. They have the
columns, the dirty values and the dependencies of the file that was aggregated, and are as hard to predict. `flights`,
`penguins` and `penguin_mass` are real data from development packages. `ecg`: invented heartbeats of five kinds, from a
model of the heart's waves.

    python minio/generate_samples.py [auto | ecg | flights | penguins | penguin_mass] [--seed N] [--out FOLDER]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import sample_ecg
import sample_flights
import sample_penguins
from sample_auto.claims import draw_claims
from sample_auto.customers import draw_customers
from sample_auto.files import split, spoil, texts, write

SAMPLES = Path(__file__).parent / "samples"
SEED = 14
NAMES = ("auto", "ecg", "flights", "penguins", "penguin_mass")


def generate(seed: int, out: Path) -> None:
    """Write `train_auto.csv` and `test_auto.csv` into the folder `out`."""
    profile = json.loads((SAMPLES / "auto_profile.json").read_text(encoding="utf-8"))
    rng = np.random.default_rng(seed)
    people = draw_customers(profile, sum(profile["rows"].values()), rng)
    draw_claims(people, profile)
    cells = texts(people, profile)
    parts = split(people, profile["rows"]["test"])
    spoil(cells, parts, profile["missing"], rng)
    out.mkdir(parents=True, exist_ok=True)
    for part, rows in parts.items():
        columns = [cells[name][rows] for name in profile["columns"]]
        write(out / f"{part}_auto.csv", profile["columns"], zip(*columns, strict=True))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Make the sample files of a data set.")
    parser.add_argument(
        "sample", nargs="?", choices=["auto", "ecg", "flights", "penguins", "penguin_mass"], default="auto"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=SEED,
        help="of the random draw; penguins have none, all rows are taken",
    )
    parser.add_argument("--out", type=Path, default=SAMPLES)
    arguments = parser.parse_args()
    match arguments.sample:
        case "auto":
            generate(arguments.seed, arguments.out)
        case "ecg":
            sample_ecg.generate(arguments.seed, arguments.out)
        case "flights":
            sample_flights.generate(arguments.seed, arguments.out)
        case "penguins":
            sample_penguins.generate(arguments.out)
        case "penguin_mass":
            sample_penguins.generate_mass(arguments.out)


if __name__ == "__main__":
    main()
