"""`ml-platform dataset forget` and `dataset remove`: erase an entity everywhere, and end a data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.support import counted, exit_on_error, relative, use_servers, user
from ml_platform.specs.catalog import find_table

if TYPE_CHECKING:
    from ml_platform.removal.forget_entity import Erasure
    from ml_platform.removal.remove_dataset import Removal

Reason = Annotated[str, typer.Option(help="why; it is recorded")]


def forget(
    name: Annotated[str, typer.Argument(help="a data set or a feature table")],
    keys: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY...",
            help="an entity's key as in the files; several columns: A,B, quoted as in CSV; before -5 write --",
        ),
    ],
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Erase entities everywhere: tables, online store, predictions, archived files, results, training sets.

    Prints what will be erased and what remains, and asks.
    """
    from ml_platform.removal import forget_entity  # here and below: only what a command needs is loaded
    from ml_platform.removal.remaining import remaining

    use_servers()
    with exit_on_error():
        planned = forget_entity.plan(find_table(name), keys)
        if planned.is_empty:
            typer.echo(f"{name}: nothing is stored about {_these(len(planned.entities.keys))}")
        else:
            _print_plan(name, planned)
        typer.echo("What remains, look at it yourself:")
        for text in remaining(planned):
            typer.echo(f"  {text}")
        if planned.is_empty or not (yes or typer.confirm("Erase it for good?")):
            raise typer.Exit(0 if planned.is_empty else 1)
        done = forget_entity.erase(planned, reason=reason, by=user())
    typer.echo(
        f"{name}: erased: {counted(sum(done.table_rows.values()), 'row')} in tables, "
        f"{counted(len(done.files.found), 'file')}, {counted(len(done.training.training_sets), 'training set')}"
    )


def _these(entities: int) -> str:
    return "this entity" if entities == 1 else f"these {entities:,} entities"


def _print_plan(name: str, planned: "Erasure") -> None:
    typer.echo(f"{name}: what will be erased of {_these(len(planned.entities.keys))}:")
    for table, rows in planned.table_rows.items():
        typer.echo(f"  table {table}: {counted(rows, 'row')}")
    typer.echo("  the online store: its row")
    for found in planned.files.found:
        typer.echo(f"  file {found.file}: {counted(len(found.rows.lines), 'row')}")
    for version in planned.training.training_sets:
        typer.echo(f"  file {version.bucket}/{version.key}: a frozen training set, which gets a new name")
    for run in planned.training.runs:
        typer.echo(f"  MLflow run {run}: predictions on the hold-out")


def remove(name: Annotated[str, typer.Argument(help="a data set or a feature table")], reason: Reason) -> None:
    """End a data set: its YAML, DAGs, tables and views go, its models are archived, its files stay. Asks twice."""
    from ml_platform.removal import remove_dataset

    use_servers()
    with exit_on_error():
        planned = remove_dataset.plan(name)
        _print_removal(planned)
        typer.confirm(f"Are the DAGs of {name} switched off, and is none of their runs at work?", abort=True)
        if typer.prompt(f"Type {name} to remove it for good") != name:
            typer.echo("That is another name; nothing is removed.", err=True)
            raise typer.Exit(1)
        moved_to = remove_dataset.remove(planned, reason=reason, by=user())
    typer.echo(f"{name} is removed. Its YAML is now {relative(Path(moved_to))}; the name may be used for other data.")


def _print_removal(planned: "Removal") -> None:
    typer.echo(f"{planned.table.name}: what will be removed:")
    typer.echo(f"  {relative(planned.path)}, and so its DAGs; the file is moved to the folder removed/ beside it")
    for table, rows in planned.table_rows.items():
        typer.echo(f"  table {table}: {counted(rows, 'row')}")
    typer.echo("  its views in Feast, and its rows in the online store")
    if planned.versions:
        versions = ", ".join(map(str, planned.versions))
        typer.echo(f"What is archived, with a tag and without aliases: version {versions}")
    typer.echo("What stays, delete it yourself:")
    for place, (files, size) in planned.files.items():
        typer.echo(f"  {place}*: {counted(files, 'file')}, {size:,} bytes")
    typer.echo("  runs and models in MLflow, past runs in Airflow, backups")
