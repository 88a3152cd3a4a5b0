"""Make the sample files `train_auto.csv` and `test_auto.csv`.

Invented customers of a car insurer, drawn from the aggregates in `samples/auto_profile.json`: same columns, same dirt,
same dependencies, and as hard to predict as the file those aggregates describe. The same seed gives the same bytes.

    python minio/generate_samples.py [--seed N] [--out FOLDER]
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sample_auto.claims import draw_claims
from sample_auto.customers import draw_customers
from sample_auto.files import split, spoil, texts, write

SAMPLES = Path(__file__).parent / "samples"
SEED = 14


def generate(seed: int, out: Path) -> None:
    """Write both files into the folder `out`."""
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
    parser = argparse.ArgumentParser(description="Make the sample files of the auto-insurance data set.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=SAMPLES)
    arguments = parser.parse_args()
    generate(arguments.seed, arguments.out)


if __name__ == "__main__":
    main()
