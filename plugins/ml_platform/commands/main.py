"""The program `ml-platform`: draft, check and list data sets, look into their data, and see to their models.

Exit codes: 0 all is well; 1 something is wrong, and it is named; 2 the command itself is not understood.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ml_platform.commands.models import app as models_app
from ml_platform.commands.support import connected, reported_errors
from ml_platform.specs.catalog import DATASETS_DIR, catalog, find_table
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table

if TYPE_CHECKING:
    from ml_platform.drafts.spec_check import Trial

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
dataset_app = typer.Typer(help="The specs: one YAML file per data set.", no_args_is_help=True)
app.add_typer(dataset_app, name="dataset")
app.add_typer(models_app, name="models")

Folder = Annotated[Path, typer.Option(help="where the specs lie")]


@dataset_app.command()
def draft(
    file: Annotated[Path, typer.Argument(help="a file of the data: CSV, JSON lines or Parquet, also in gzip")],
    name: Annotated[str, typer.Argument(help="of the data set, such as churn")],
    out: Folder = DATASETS_DIR,
    label: Annotated[str | None, typer.Option(help="the column to be foretold; guessed if not given")] = None,
    table: Annotated[bool, typer.Option("--table", help="a feature table: no label, joined to others")] = False,
) -> None:
    """Write the draft of a spec after a file, and say what to look at."""
    from ml_platform.drafts.draft_file import write_draft  # here and below: only what a command needs is loaded

    with reported_errors():
        drafted = write_draft(file, name, out, is_table=table, label=label)
    path = _from_here(drafted.path)
    typer.echo(f"{path} is written. Look at:")
    for said in drafted.review_notes:
        typer.echo(f"  - {said}")
    _tell_trial(drafted.trial, file)
    typer.echo(f"Then: ./ml-platform dataset check {path} --file {file}")


def _from_here(path: Path) -> Path:
    """Return a path as one would type it in the current folder."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@dataset_app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="a data set or a YAML file; all of them if not given")] = None,
    file: Annotated[Path | None, typer.Option(help="a file of data: what of it would be rejected?")] = None,
    purpose: Annotated[Purpose, typer.Option(help="what that file is for; a test file may lack the label")] = "train",
    folder: Folder = DATASETS_DIR,
) -> None:
    """Name every mistake in the specs, or what of a file a spec would reject; 1 if there is any."""
    from ml_platform.drafts import spec_check

    if name is not None and name.endswith((".yaml", ".yml")):
        folder, name = Path(name).parent, Path(name).stem
    if file is not None and name is None:
        raise typer.BadParameter("name the data set whose file it is", param_hint="--file")
    with reported_errors():
        found = spec_check.problems(folder, name)
        if not found and name is not None:
            table = find_table(name, folder)
    for text in found:
        typer.echo(text, err=True)
    if found:
        raise typer.Exit(1)
    typer.echo(f"{folder / name}.yaml is right" if name else f"all specs in {folder} are right")
    if file is not None:
        with reported_errors():
            trial = spec_check.try_file(table, file, purpose)
        _tell_trial(trial, file)
        if trial.share > (table.max_bad_rows if table.on_bad_row == "reject_row" else 0.0):
            typer.echo("The file would be rejected as a whole.", err=True)
            raise typer.Exit(1)


def _tell_trial(trial: "Trial", file: Path) -> None:
    typer.echo(f"{file}: {trial.rows_read:,} rows, {trial.rows_rejected:,} would be rejected")
    for bad in trial.bad_values:
        typer.echo(f"  line {bad.line}, {bad.column or 'the row'}: {bad.value!r}: {bad.reason}")
    if trial.duplicate_rows:
        typer.echo(f"  {trial.duplicate_rows:,} of them have the key (and the time) of an earlier one")


@dataset_app.command(name="list")
def list_tables(folder: Folder = DATASETS_DIR) -> None:
    """List the data sets and feature tables."""
    found = catalog(folder)
    grid = Grid(box=None, pad_edge=False)
    for title in ("name", "kind", "entity", "label", "features", "joined", "files"):
        grid.add_column(title, overflow="fold")
    for table in (*found.datasets, *found.tables):
        grid.add_row(*map(Text, _row(table)))
    Console(width=None if sys.stdout.isatty() else 200).print(grid)  # not folded for other programs
    for text in found.problems:
        typer.echo(text, err=True)
    if found.problems:
        raise typer.Exit(1)


def _row(table: Table) -> tuple[str, ...]:
    entity = f"{table.entity.name}: {', '.join(table.keys)}"
    if isinstance(table, Dataset):
        joined = ", ".join(other.name for other in table.tables)
        files = f"{table.inbox_pattern('train')}\n{table.inbox_pattern('test')}"
        return table.name, "data set", entity, table.label.column, str(len(table.features)), joined, files
    return table.name, "feature table", entity, "", str(len(table.own_features)), "", table.inbox_pattern("train")


@dataset_app.command()
def schema(out: Annotated[Path, typer.Option(help="where to write it")] = DATASETS_DIR / "schema.json") -> None:
    """Write the JSON Schema that editors check the specs with."""
    from ml_platform.specs.schema import write

    write(out)
    typer.echo(f"{out} is written")


@dataset_app.command()
def materialize(name: Annotated[str, typer.Argument(help="a data set or a feature table")]) -> None:
    """Bring online what is loaded and is not there yet, as `ingest_<name>` does after each load."""
    from ml_platform.feature_store import online_rows

    connected()
    with reported_errors():
        count = online_rows.materialize(find_table(name))
    typer.echo(f"{name}: the newest rows of {count:,} entities were written into the online store")


@app.command()
def demo(name: Annotated[str, typer.Argument(help="a sample: auto, flights or penguins")] = "auto") -> None:
    """Go from nothing to a model and its predictions, on sample data; starts the servers if they are not up."""
    from ml_platform.commands.demo import run

    raise typer.Exit(run(name))


@app.command()
def eda(
    name: Annotated[str, typer.Argument(help="a data set or a feature table")],
    out: Annotated[Path | None, typer.Option(help="write the report to this file, not to the bucket")] = None,
) -> None:
    """Draw a report on the data of a data set: types, gaps, distributions, leaks, drift; and show its link."""
    from ml_platform.eda.data_report import publish

    connected()
    with reported_errors():
        typer.echo(publish(name, out))
