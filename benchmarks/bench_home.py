"""Measure the pages of the home page on an empty platform and on a large one: seconds of a view, and the growth.

The large one has 50 data sets, 10,000 files, 1,000,000 predictions, 1,000 versions and 5,000 checks, half of them of
the data set that is looked at. A page is drawn as its server draws it, without a browser; its first view, which imports
it, does not count.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

DATASETS = Path(__file__).resolve().parents[1] / "datasets"
RECORDS = Path(__file__).with_name("home_records.sql")
SAMPLE = "penguins"  # its YAML is that of every data set
LIMIT = 1.0  # seconds: what a view may take


def main() -> int:
    """Print the medians of each page and the ratio; return 1 if a page takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=50)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="views of each page")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DATASETS_DIR"] = folder  # before the catalog is imported
        write_specs(Path(folder), 1)
        from stack.config import load
        from stack.runners.embedded import up

        up(load(), ["mlflow"])
        small = measure(options.rounds)
        write_specs(Path(folder), options.datasets)
        seed(options.datasets, options.files, options.predictions)
        large = measure(options.rounds)
    for page, seconds in large.items():
        sys.stdout.write(f"{page}: {small[page]:.3f} s, large {seconds:.3f} s, ratio {seconds / small[page]:.1f}\n")
    slow = [page for page, seconds in large.items() if seconds > LIMIT]
    if slow:
        sys.stdout.write(f"longer than {LIMIT:g} s: {', '.join(slow)}\n")
    return len(slow)


def write_specs(folder: Path, number: int) -> None:
    """Write the YAML files of so many data sets; the first is the sample."""
    shutil.copy(DATASETS / f"{SAMPLE}.yaml", folder)
    text = (DATASETS / f"{SAMPLE}.yaml").read_text(encoding="utf-8")
    for index in range(1, number):
        (folder / f"copy{index:02}.yaml").write_text(text.replace(f"name: {SAMPLE}", f"name: copy{index:02}", 1))


def measure(rounds: int) -> dict[str, float]:
    """Return the median seconds of a view of each page, as an operator sees it."""
    from streamlit.testing.v1 import AppTest

    from ml_platform.home.login.users import User
    from ml_platform.home.navigation import PAGES

    person = User("operator", "operator", "")
    found = {}
    with patch("ml_platform.home.parts.person.current", lambda: person):
        for module in (module for listed in PAGES.values() for module, _, _ in listed):
            seconds = []
            for _ in range(rounds + 1):
                page = AppTest.from_function(script, default_timeout=60, kwargs={"module": module})
                page.query_params["dataset"] = SAMPLE
                begin = time.perf_counter()
                page.run()
                seconds.append(time.perf_counter() - begin)
                if page.exception:
                    raise SystemExit(f"{module}: {page.exception[0].message}")
            found[module] = median(seconds[1:])
    return found


def script(module: str) -> None:
    """Draw a page, as `home/app.py` does."""
    from importlib import import_module

    from ml_platform.home.parts import specs

    specs.choose()
    import_module(f"ml_platform.home.views.{module}").show()


def seed(datasets: int, files: int, predictions: int) -> None:
    """Fill the tables that the pages read."""
    from ml_platform.storage.database import transaction

    text = RECORDS.read_text(encoding="utf-8")
    for name, number in (("datasets", datasets), ("files", files), ("predictions", predictions)):
        text = text.replace(f"{{{name}}}", str(number))
    with transaction() as cursor:
        for statement in text.split(";\n"):
            if statement.strip():
                cursor.execute(statement)


if __name__ == "__main__":
    sys.exit(main())
