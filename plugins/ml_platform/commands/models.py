"""`ml-platform models`: what was live when, and back to the model before."""

import getpass
import os
import sys
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ml_platform.commands.support import connected, reported_errors

app = typer.Typer(help="The models: what was live when, and back to the one before.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="of the data set, which is the model's")]


@app.command()
def history(
    name: Name,
    at: Annotated[datetime | None, typer.Option(help="only what was live then, by this machine's clock")] = None,
) -> None:
    """Show what was live from when to when, who moved it, why, and on which training set."""
    from ml_platform.promotion import history as record  # here and below: only what a command needs is loaded

    connected()
    with reported_errors():
        periods = record.history(name, at.astimezone() if at else None)
    grid = Grid(box=None, pad_edge=False)
    for title in ("version", "from", "to", "moved by", "approved by", "why", "training set", "reason"):
        grid.add_column(title, overflow="fold")
    for period in periods:
        cells = (
            "none" if period.version is None else str(period.version), _time(period.valid_from), _time(period.valid_to),
            period.moved_by, period.approved_by or "", period.why,
            (period.training_set_sha256 or "")[:12], period.reason,
        )  # fmt: skip
        grid.add_row(*map(Text, cells))
    if not periods:
        typer.echo(f"{name}: nothing was live" + (f" at {at.astimezone().isoformat()}" if at else " yet"), err=True)
        raise typer.Exit(1)
    Console(width=None if sys.stdout.isatty() else 240).print(grid)  # not folded for other programs


def _time(moment: datetime | None) -> str:
    return "now" if moment is None else moment.astimezone().isoformat(" ", "seconds")


@app.command()
def rollback(
    name: Name,
    reason: Annotated[str, typer.Option(help="why; it goes into the history")],
    to: Annotated[int | None, typer.Option(help="a version; the previous champion if not given")] = None,
) -> None:
    """Let the previous champion, or a given version, be live again."""
    from ml_platform.promotion.rollback import rollback as roll_back

    connected()
    with reported_errors():
        live = roll_back(name, reason=reason, by=_user(), to=to)
    typer.echo(f"{name}: version {live.champion} is live, {live.previous} is the previous champion")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have a number only
        return f"uid {os.getuid()}"
