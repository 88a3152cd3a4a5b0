"""`ml-platform sources`: the sources of all data sets, up to where they were read, and what waits."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, use_specs_folder

if TYPE_CHECKING:
    from ml_platform.sources.ranges import Feed, Status

app = typer.Typer(help="The sources of rows: position, lag, problems.", no_args_is_help=True)


@app.command(name="list")
def list_sources() -> None:
    """List the sources: up to where each was read, what it had at the last look, what waits, and its problem."""
    use_specs_folder()
    from ml_platform.sources.status import feeds, status_of  # only what a command needs is loaded

    use_servers()
    with exit_on_error():
        found = [(feed, status_of(feed)) for feed in feeds()]
    if not found:
        typer.echo("no YAML names a `source`; docs/sources.md describes it")
        return
    rows = [_cells(feed, status) for feed, status in found]
    titles = ("data set", "for", "source", "position", "newest", "lag", "looked at", "files", "rows")
    print_table(titles, rows)
    for feed, status in found:
        if status and status.problem:
            typer.echo(f"{feed.table.name}, {feed.purpose}: {status.problem}")


def _cells(feed: "Feed", status: "Status | None") -> tuple[str, ...]:
    named = (feed.table.name, feed.purpose, feed.source.origin)
    if status is None:
        return (*named, "", "", "", "never", "", "")
    lag = "" if status.lag is None else f"{status.lag:,}"
    seen = (status.position, status.newest, lag, _time(status.seen_at))
    return (*named, *seen, f"{status.files:,}", f"{status.rows:,}")


def _time(moment: datetime | None) -> str:
    return "never" if moment is None else moment.astimezone().isoformat(" ", "seconds")
