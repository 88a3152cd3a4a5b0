"""`ml-platform drop`: put a file into its inbox, and wait for what becomes of it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ml_platform.commands.json_output import print_json
from ml_platform.commands.support import counted, exit_on_error, use_servers, use_specs_folder
from ml_platform.exceptions import ConfigurationError

if TYPE_CHECKING:
    from ml_platform.records.files import File

CHUNK_BYTES = 2**20
POLL = 1.0  # seconds between two looks
BAD_ENDS = ("rejected", "removed")


def drop(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="train_NAME..., and so on")],
    kind: Annotated[
        Literal["train", "test", "label", "answer"] | None,
        typer.Option("--as", help="what the file is for, if its name does not say it"),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="data set or feature table, if the name does not say it")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="until it is loaded, scored or rejected")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="with --wait: seconds until this gives up")] = 3600,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON document, for programs")] = False,
) -> None:
    """Drop a file: training rows, rows to predict, or labels. Exit code 1 if it is rejected, or the wait is over."""
    use_specs_folder()
    use_servers()
    with exit_on_error():
        dropped = _dropped(file, kind, dataset)
        if wait:
            dropped = _waited_for(dropped, timeout)
    if as_json:
        print_json({"file": dropped})
    if dropped.state in BAD_ENDS or (wait and not dropped.is_settled):
        raise typer.Exit(1)


def _dropped(file: Path, kind: Literal["train", "test", "label", "answer"] | None, dataset: str | None) -> "File":
    from ml_platform.ingestion import dropping  # here and below: only what a command needs is loaded
    from ml_platform.records.files import File
    from ml_platform.specs.catalog import catalog

    known = catalog()
    place = dropping.place_of(file.name, [*known.datasets, *known.tables], kind, dataset)
    etag = dropping.drop(place, _chunks(file))
    if etag is None:
        raise ConfigurationError(
            f"{place.bucket}/{place.key}: a file of this name waits there; wait until it is taken, or rename yours"
        )
    typer.echo(f"{file} is dropped as {place.bucket}/{place.key}", err=True)
    return File(place.table.name, place.kind, "waiting", place.bucket, place.key, bytes=file.stat().st_size, etag=etag)


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _waited_for(file: "File", timeout: float) -> "File":
    """Follow a file until it is settled, or needs a person, or the time is over."""
    from ml_platform.records.files import find
    from ml_platform.specs.catalog import find_table

    table, end, last = find_table(file.dataset), time.monotonic() + timeout, ""
    while True:
        file = find(table, file.bucket, file.key, file.etag) or file
        if (text := _progress(file)) != last:
            typer.echo(text, err=True)
            last = text
        if file.is_settled or (file.state == "failed" and file.next_attempt is None):
            break
        if time.monotonic() > end:
            typer.echo(f"after {timeout:g} s it is not settled; is the DAG of {file.dataset} switched on?", err=True)
            break
        time.sleep(POLL)
    for line in (*file.reasons, *(f"unusual: {text}" for text in file.warnings)):
        typer.echo(f"  {line}", err=True)
    return file


def _progress(file: "File") -> str:
    if file.state == "failed":
        again = f"{file.next_attempt:%H:%M:%S} UTC" if file.next_attempt else "after a change of the YAML"
        return f"{file.key}: attempt {file.attempts} failed: {file.problem}; the next one: {again}"
    if not file.is_settled or file.state == "removed":
        return f"{file.key}: {file.state}"
    counts = [counted(file.rows_read, "row") + " read", f"{file.rows_rejected:,} rejected"]
    if file.kind != "test":
        counts[1:1] = [f"{file.rows_loaded:,} loaded", f"{file.rows_present:,} already there"]
    result = f"; result: {file.result_key}" if file.result_key else ""
    return f"{file.key}: {file.state}: {', '.join(counts)}{result}"
