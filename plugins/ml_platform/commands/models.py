"""`ml-platform models`: which version was live when, rollback to an earlier one, and versions from other platforms."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, user

if TYPE_CHECKING:
    from ml_platform.promotion.history import Period

app = typer.Typer(help="The models: which version was live when, rollback, and acceptance.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="name of the data set, which is also the model's")]


@app.command()
def history(
    name: Name,
    at: Annotated[datetime | None, typer.Option(help="show only the version that was live then (local time)")] = None,
) -> None:
    """Show which version was live from when to when, who moved the alias, why, and the training set."""
    from ml_platform.promotion.history import history as read_history  # only what a command needs is loaded

    use_servers()
    with exit_on_error():
        periods = read_history(name, at.astimezone() if at else None)
    if not periods:
        typer.echo(f"{name}: nothing was live" + (f" at {at.astimezone().isoformat()}" if at else " yet"), err=True)
        raise typer.Exit(1)
    titles = ("version", "from", "to", "moved by", "approved by", "why", "training set", "reason")
    print_table(titles, [_cells(period) for period in periods])


def _cells(period: "Period") -> tuple[str, ...]:
    return (
        "none" if period.version is None else str(period.version),
        _time(period.valid_from),
        _time(period.valid_to),
        period.moved_by,
        period.approved_by or "",
        period.why,
        (period.training_set_sha256 or "")[:12],
        period.reason,
    )


def _time(moment: datetime | None) -> str:
    return "now" if moment is None else moment.astimezone().isoformat(" ", "seconds")


@app.command()
def rollback(
    name: Name,
    reason: Annotated[str, typer.Option(help="why; it is recorded in the history")],
    to: Annotated[int | None, typer.Option(help="a version; the previous champion if not given")] = None,
) -> None:
    """Roll back to the previous champion, or to a given version."""
    from ml_platform.promotion.rollback import rollback as roll_back

    use_servers()
    with exit_on_error():
        live = roll_back(name, reason=reason, by=user(), to=to)
    typer.echo(f"{name}: version {live.champion} is live, {live.previous} is the previous champion")


@app.command()
def accept(
    name: Name,
    version: Annotated[int, typer.Argument(help="its number in the registry of this platform")],
    reason: Annotated[str, typer.Option(help="why; it is recorded in the history")],
) -> None:
    """Make a version live that another platform has promoted into this registry."""
    from ml_platform.promotion.acceptance import accept as accept_version

    use_servers()
    with exit_on_error():
        live = accept_version(name, version, reason=reason, by=user())
    typer.echo(f"{name}: version {live.champion} is live, {live.previous} is the previous champion")
