"""`ml-platform uploads`: what was loaded from which file, and how to take it back."""

from typing import Annotated

import typer

from ml_platform.commands.json_output import print_json
from ml_platform.commands.support import counted, exit_on_error, print_table, use_servers, user
from ml_platform.specs.catalog import find_table

app = typer.Typer(help="The uploads: what was loaded, and how to take it back.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="a data set or a feature table")]


@app.command(name="list")
def list_uploads(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document, for programs")] = False,
) -> None:
    """List the uploads that were loaded, the versions trained with each, and who took which one back."""
    from ml_platform.removal import withdraw_upload  # here and below: only what a command needs is loaded

    use_servers()
    with exit_on_error():
        find_table(name)
        found = withdraw_upload.uploads_of(name)
    if as_json:
        print_json({"uploads": found})
        return
    titles = ("id", "loaded at", "file", "rows", "rejected", "trained versions", "withdrawn")
    rows = [
        (
            upload.sha256[: withdraw_upload.SHORT],
            upload.claimed_at.astimezone().isoformat(" ", "seconds"),
            upload.key,
            f"{upload.rows_loaded:,}",
            f"{upload.rows_rejected:,}",
            ", ".join(upload.versions),
            upload.withdrawn,
        )
        for upload in found
    ]
    print_table(titles, rows)


@app.command()
def withdraw(
    name: Name,
    upload: Annotated[str, typer.Argument(help="the id of the upload, as `uploads list` shows it")],
    reason: Annotated[str, typer.Option(help="why; it is recorded")],
) -> None:
    """Take an upload back: its rows go from features, labels and the online store. The same file may come again."""
    from ml_platform.removal import withdraw_upload

    use_servers()
    with exit_on_error():
        done = withdraw_upload.withdraw(find_table(name), upload, reason=reason, by=user())
    rows, entities = counted(done.rows, "row"), counted(done.entities, "entity", "entities")
    typer.echo(f"{name}: {done.key} is taken back, with {rows} of {entities}")
    for sentence in withdraw_upload.what_to_do(done):
        typer.echo(sentence)
