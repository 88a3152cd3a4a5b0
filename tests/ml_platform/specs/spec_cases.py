"""Helpers of the tests of this package: the committed specs as texts, and changed ones as files."""

from pathlib import Path

from ml_platform.specs.catalog import DATASETS_DIR

AUTO, FLIGHTS, WEATHER = (
    (DATASETS_DIR / f"{name}.yaml").read_text(encoding="utf-8") for name in ("auto", "flights", "weather")
)
AGE = "AGE: {type: integer, min: 16, max: 110}"  # as in AUTO
AGE_LINE = f"  {AGE}\n"


def write_spec(folder: Path, text: str, name: str = "auto") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path
