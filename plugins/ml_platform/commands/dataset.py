"""`ml-platform dataset`: draft, check and list the specs of data sets, and write their rows into the online store."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, get_args

import typer

from ml_platform.commands.support import exit_on_error, print_table, relative, servers_are_known, use_servers
from ml_platform.exceptions import ContractError, ServiceError
from ml_platform.specs.catalog import DATASETS_DIR, catalog, find_table
from ml_platform.specs.label_files import label_files
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table

if TYPE_CHECKING:
    from ml_platform.drafts.spec_check import Trial

app = typer.Typer(help="The specs: one YAML file per data set.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option(help="the folder of the specs")]


@app.command()
def draft(
    file: Annotated[Path, typer.Argument(help="a file of the data: CSV, JSON lines or Parquet, also gzipped")],
    name: Annotated[str, typer.Argument(help="name of the data set, such as churn")],
    out: Folder = DATASETS_DIR,
    label: Annotated[str | None, typer.Option(help="the column to predict; guessed if not given")] = None,
    key: Annotated[
        str | None, typer.Option(help="the column that identifies a row or its entity, or several with commas; guessed")
    ] = None,
    table: Annotated[bool, typer.Option("--table", help="a feature table: no label, joined to data sets")] = False,
) -> None:
    """Write a draft of a spec from a file, and list what to review.

    Exits with 1, and writes nothing, if several columns could be the label: they are listed, for --label.
    """
    from ml_platform.drafts.draft_file import write_draft  # here and below: only what a command needs is loaded

    with exit_on_error():
        keys = [column.strip() for column in key.split(",")] if key else None
        drafted = write_draft(file, name, out, is_table=table, label=label, key=keys)
    path = relative(drafted.path)
    typer.echo(f"{path} is written. Look at:")
    for text in drafted.review_notes:
        typer.echo(f"  - {text}")
    _print_trial(drafted.trial, file)
    typer.echo(f"Then: ./ml-platform dataset check {path} --file {file}")


@app.command()
def check(
    name: Annotated[str | None, typer.Argument(help="a data set or a YAML file; all of them if not given")] = None,
    file: Annotated[Path | None, typer.Option(help="a file of data: show which rows would be rejected")] = None,
    purpose: Annotated[
        Literal["train", "test", "labels"],
        typer.Option(help="the bucket that the file is for; a test file needs no label; labels: it has labels alone"),
    ] = "train",
    folder: Folder = DATASETS_DIR,
) -> None:
    """Say if the specs are valid and compatible with the rows already loaded, or if a file would be loaded.

    The first line is the verdict. Exits with 1 if a spec or the file would be refused.
    """
    from ml_platform.drafts import spec_check

    if purpose == "labels" and file is None:
        raise typer.BadParameter("only with --file", param_hint="--purpose")
    if name is not None and name.endswith((".yaml", ".yml")):
        folder, name = Path(name).parent, Path(name).stem
    if file is not None and name is None:
        raise typer.BadParameter("name the data set of the file", param_hint="--file")
    what = f"{folder / name}.yaml" if name else f"a spec in {folder}"
    with exit_on_error():
        if problems := spec_check.problems(folder, name) or ([] if name else _missing_secrets(folder)):
            _refuse(f"{what} has a mistake", problems)
        table = find_table(name, folder) if name else None
        not_compared = _compare_with_loaded_rows(what, folder, name)
        if table is not None and file is not None:
            if purpose == "labels":
                table, purpose = _label_files(table), "train"
            _check_file(table, file, purpose, what, has_servers=not not_compared)
            return
    verdict = f"{what} is valid" if name else f"all specs in {folder} are valid"
    typer.echo(verdict + (not_compared or ", and compatible with the rows already loaded"))


def _missing_secrets(folder: Path) -> list[str]:
    """Return the secrets that channels of alerts name, and that neither the environment nor `.env` has."""
    from ml_platform.commands.alerts import secrets_of_channels
    from ml_platform.specs.alerts import missing_variables
    from ml_platform.specs.catalog import platform_options
    from ml_platform.specs.platform import PLATFORM_FILE

    options = platform_options(folder).alerts
    return [f"{folder / PLATFORM_FILE}: {text}" for text in missing_variables(options, secrets_of_channels())]


def _compare_with_loaded_rows(what: str, folder: Path, name: str | None) -> str:
    """Exit if a spec is incompatible with rows already loaded; return why it was not compared, or ""."""
    from ml_platform.drafts import spec_check

    if not servers_are_known():
        return "; not compared with rows already loaded, because there are no servers yet"
    use_servers()
    try:
        problems = spec_check.incompatible_changes(folder, name)
    except ServiceError:
        return "; not compared with rows already loaded, because Postgres does not answer"
    if problems:
        _refuse(f"{what} would be refused by the next load: rows are loaded that it is incompatible with", problems)
    return ""


def _label_files(table: Table) -> Table:
    if not isinstance(table, Dataset) or not table.has_key:
        raise typer.BadParameter(f"{table.name} has no label files: it needs a label and a key", param_hint="--purpose")
    return label_files(table)


def _check_file(table: Table, file: Path, purpose: Purpose, spec: str, *, has_servers: bool) -> None:
    from ml_platform.drafts import spec_check

    try:
        other_label = spec_check.loaded_label(table) if has_servers else None
        trial = spec_check.try_file(table, file, purpose, other_label=other_label)
    except ContractError as error:
        _refuse(f"{file} would be rejected as a whole by {spec}: {error}", ())
    if trial.refusal:
        _refuse(f"{file} would be rejected as a whole by {spec}: {trial.refusal}", _trial_lines(trial))
    _print_trial(trial, file)


def _refuse(verdict: str, details: Iterable[str]) -> NoReturn:
    for text in (verdict, *details):
        typer.echo(text, err=True)
    raise typer.Exit(1)


def _print_trial(trial: "Trial", file: Path) -> None:
    if trial.refusal:
        typer.echo(f"{file} would be rejected as a whole: {trial.refusal}")
    else:
        typer.echo(f"{file} would be loaded: {trial.rows_read:,} rows, {trial.rows_rejected:,} would be rejected")
    for text in _trial_lines(trial):
        typer.echo(text)


def _trial_lines(trial: "Trial") -> Iterator[str]:
    for bad in trial.bad_values:
        yield f"  line {bad.line}, {bad.column or 'the row'}: {bad.value!r}: {bad.reason}"
    if trial.duplicate_rows:
        yield f"  {trial.duplicate_rows:,} of them repeat the key (and event time) of an earlier row"


@app.command(name="list")
def list_tables(folder: Folder = DATASETS_DIR) -> None:
    """List the data sets and feature tables."""
    specs = catalog(folder)
    titles = ("name", "kind", "entity", "label", "features", "joined", "files")
    print_table(titles, [_cells(table) for table in (*specs.datasets, *specs.tables)])
    if specs.problems:
        _refuse(f"not listed, because of a mistake in {folder}:", specs.problems)


def _cells(table: Table) -> tuple[str, ...]:
    entity = f"{table.entity.name}: {', '.join(table.entity.key) or 'no key'}"
    if isinstance(table, Dataset):
        joined = ", ".join(other.name for other in table.tables)
        inboxes = chain.from_iterable(map(table.inboxes, get_args(Purpose)))
        files = "\n".join(f"{inbox.prefix}*" for inbox in inboxes)
        return table.name, "data set", entity, table.label.column, str(len(table.features)), joined, files
    return table.name, "feature table", entity, "", str(len(table.own_features)), "", table.inbox_pattern("train")


@app.command()
def schema(out: Annotated[Path, typer.Option(help="the file to write")] = DATASETS_DIR / "schema.json") -> None:
    """Write the JSON Schema with which editors check the specs."""
    from ml_platform.specs.schema import write

    write(out)
    typer.echo(f"{out} is written")


@app.command()
def materialize(name: Annotated[str, typer.Argument(help="a data set or a feature table")]) -> None:
    """Write loaded rows that are not online yet into the online store, as `ingest_<name>` does after each load."""
    from ml_platform.feature_store import online_rows

    use_servers()
    with exit_on_error():
        count = online_rows.materialize(find_table(name))
    typer.echo(f"{name}: the newest rows of {count:,} entities were written into the online store")
