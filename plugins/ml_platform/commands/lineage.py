"""`ml-platform lineage`: from a prediction back to the uploads that its model was trained on."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers

if TYPE_CHECKING:
    from ml_platform.lineage.chain import Chain


def lineage(
    result: Annotated[
        str, typer.Argument(help="a result file, its key (s3://result/...), or with --entity the name of a data set")
    ],
    entity: Annotated[str | None, typer.Option(help="the key of an entity: its newest prediction")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show where a prediction comes from: scored file, model version, training set, and the uploads behind it."""
    from ml_platform.lineage import find  # only what a command needs is loaded

    use_servers()
    with exit_on_error():
        found = find.by_result(result) if entity is None else find.by_entity(result, entity)
    if as_json:
        from ml_platform.storage.json_values import to_json

        typer.echo(json.dumps(to_json(found), indent=2))
    else:
        _print(found)


def _print(found: "Chain") -> None:
    from ml_platform.lineage import text

    for line in text.lines(found):
        typer.echo(line)
    if found.training_set and found.training_set.uploads:
        typer.echo("uploads")
        print_table(text.TITLES, text.upload_rows(found.training_set))
    for note in found.notes:
        typer.echo(f"note          {note}")
