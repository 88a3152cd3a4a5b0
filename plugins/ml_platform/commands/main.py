"""The program `ml-platform`: drop files and fetch results, draft and check data sets, and manage their models.

Exit codes: 0 success; 1 an error, which is named; 2 a mistake in the command itself.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ml_platform.commands import (
    alerts,
    dataset,
    drop,
    home,
    labels,
    lineage,
    models,
    monitoring,
    removal,
    results,
    runs,
    sources,
    streams,
    uploads,
)
from ml_platform.commands.support import exit_on_error, use_servers

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
dataset.app.command()(removal.forget)
dataset.app.command()(removal.remove)
app.add_typer(alerts.app, name="alerts")
app.add_typer(dataset.app, name="dataset")
app.add_typer(home.app, name="home")
app.add_typer(labels.app, name="labels")
app.add_typer(models.app, name="models")
app.add_typer(results.app, name="results")
app.add_typer(runs.app, name="runs")
app.add_typer(sources.app, name="sources")
app.add_typer(uploads.app, name="uploads")
app.command()(drop.drop)
app.command()(lineage.lineage)
app.command()(monitoring.monitor)
app.command()(streams.produce)
app.command()(streams.stream)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(help="a sample: auto, ecg, flights, penguins, penguin_mass")] = "auto",
    source: Annotated[
        Literal["kafka", "mongodb", "sql"] | None,
        typer.Option(help="fill a source of this kind with the training rows, and train from it"),
    ] = None,
) -> None:
    """Train a model on sample data and score a file with it. Starts the servers if they are not running."""
    from ml_platform.commands.demo.run import run  # here and below: only what a command needs is loaded

    raise typer.Exit(run(name, source or ""))


@app.command()
def eda(
    name: Annotated[str, typer.Argument(help="a data set or a feature table")],
    out: Annotated[Path | None, typer.Option(help="write the report to this file instead of the bucket")] = None,
) -> None:
    """Write a report on the data of a data set: types, missing values, distributions, leaks, drift. Prints its link."""
    from ml_platform.eda.data_report import publish

    use_servers()
    with exit_on_error():
        typer.echo(publish(name, out))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, for programs")] = False,
) -> None:
    """Check a running platform, and say how to fix what is wrong. Exit code 1 if something is."""
    from ml_platform.commands.doctor import examine, show
    from stack.config import load
    from stack.errors import StackError

    try:
        diagnosis = examine(load())
    except StackError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    show(diagnosis, as_json=as_json)
    raise typer.Exit(1 if diagnosis.findings else 0)
