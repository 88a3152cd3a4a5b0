"""`ml-platform models`: the versions, which was live when, rollback, and versions from other platforms."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.json_output import print_json
from ml_platform.commands.support import exit_on_error, print_table, use_servers, user
from ml_platform.specs.tasks import METRIC_TITLES

if TYPE_CHECKING:
    from ml_platform.promotion.history import Period
    from ml_platform.records.models import ModelVersion

app = typer.Typer(help="The models: versions, which was live when, rollback, and acceptance.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="name of the data set, which is also the model's")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document, for programs")]


@app.command(name="list")
def list_models(
    name: Annotated[str | None, typer.Argument(help="a data set: all its versions; else each live one")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="number of versions, at most")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the versions of a model, or the live version of each model."""
    from ml_platform.records import models  # here and below: only what a command needs is loaded

    use_servers()
    with exit_on_error():
        found = models.versions(name, limit=limit) if name else models.champions()
    if as_json:
        print_json({"models": found})
        return
    titles = ("model", "version", "registered at", "alias", "decision", "score", "made live by", "training set")
    print_table(titles, [_version_cells(one) for one in found])


def _version_cells(version: "ModelVersion") -> tuple[str, ...]:
    return (
        version.model,
        str(version.version),
        version.registered_at.isoformat(" ", "seconds"),
        ", ".join(version.aliases),
        version.decision or "",
        _score(version),
        version.made_live_by or "",
        (version.training_set_sha256 or "")[:12],
    )


def _score(version: "ModelVersion") -> str:
    if version.metric is None or version.score is None:
        return ""
    between = "" if version.score_low is None else f" ({version.score_low:.4f} to {version.score_high:.4f})"
    return f"{METRIC_TITLES[version.metric]} {version.score:.4f}{between}"


@app.command()
def history(
    name: Name,
    at: Annotated[datetime | None, typer.Option(help="show only the version that was live then (local time)")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which version was live from when to when, who moved the alias, why, and the training set."""
    from ml_platform.promotion.history import history as read_history

    use_servers()
    with exit_on_error():
        periods = read_history(name, at.astimezone() if at else None)
    if not periods:
        typer.echo(f"{name}: nothing was live" + (f" at {at.astimezone().isoformat()}" if at else " yet"), err=True)
        raise typer.Exit(1)
    if as_json:
        print_json({"history": periods})
        return
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
