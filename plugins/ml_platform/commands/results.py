"""`ml-platform results`: list the files of predictions, and fetch one."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ml_platform.commands.json_output import print_json
from ml_platform.commands.support import exit_on_error, print_table, use_servers
from ml_platform.exceptions import ConfigurationError

if TYPE_CHECKING:
    from ml_platform.records.results import Result

app = typer.Typer(help="The results: list them, and fetch one.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="a data set")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON document, for programs")]


@app.command(name="list")
def list_results(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="number of results, at most")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the results of a data set, the newest first."""
    from ml_platform.records import results  # here and below: only what a command needs is loaded

    use_servers()
    with exit_on_error():
        found = results.results(name, limit=limit)
    if as_json:
        print_json({"results": found})
        return
    print_table(("result", "scored at", "of", "version", "rows", "rejected"), [_cells(one) for one in found])


def _cells(result: "Result") -> tuple[str, ...]:
    return (
        result.key,
        result.scored_at.isoformat(" ", "seconds"),
        result.file_key,
        "" if result.model_version is None else str(result.model_version),
        f"{result.rows:,}",
        f"{result.rows_rejected:,}",
    )


@app.command()
def get(
    name: Name,
    key: Annotated[str | None, typer.Argument(help="of the result, or its last part; default: the newest")] = None,
    out: Annotated[Path | None, typer.Option(help="a file or folder; default: the current folder")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a result. The file appears when it is complete; one of the same name is replaced."""
    use_servers()
    with exit_on_error():
        result = _find(name, key)
        target = _target(result, out)
        _fetch(result, target)
    typer.echo(f"{result.key} is now {target}", err=True)
    if as_json:
        print_json({"result": result, "path": str(target)})


def _find(name: str, key: str | None) -> "Result":
    from ml_platform.records import results

    if key is None:
        newest = results.results(name, limit=1)
        found = newest[0] if newest else None
    else:
        found = results.result(name, key if "/" in key else f"{name}/{key}")
    if found is None:
        raise ConfigurationError(f"{name} has no result{f' {key}' if key else ''}; see: results list {name}")
    return found


def _target(result: "Result", out: Path | None) -> Path:
    file = result.key.rpartition("/")[2]
    if out is None:
        return Path(file)
    return out / file if out.is_dir() else out


def _fetch(result: "Result", target: Path) -> None:
    from ml_platform.scoring.result_keys import BUCKET
    from ml_platform.storage import object_store

    version = object_store.head(BUCKET, result.key)
    if version is None:
        raise ConfigurationError(f"{BUCKET}/{result.key} is not there any more; its rows are in the log of predictions")
    with object_store.local_copy(version) as copy:
        _write(copy.file, target)


def _write(source: BinaryIO, target: Path) -> None:
    """Write a file all at once, or not at all."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            shutil.copyfileobj(source, file)
        part.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
