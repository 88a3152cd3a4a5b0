"""`ml-platform monitor`: the check of `monitor_<data set>`, as a dry run."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, use_specs_folder


def monitor(
    name: Annotated[str, typer.Argument(help="a data set")],
    window: Annotated[
        str, typer.Option(help="rows of the time before now, such as 7d; default: since the last check")
    ] = "",
) -> None:
    """Compare the rows that the live model scored with its training: is there drift? Only the page is written."""
    use_specs_folder()
    use_servers()
    from ml_platform.monitoring import drift_check  # here and below: only what a command needs is loaded
    from ml_platform.specs.catalog import dataset
    from ml_platform.specs.parts import DURATION, timedelta_of

    if window and not re.fullmatch(DURATION, window):
        raise typer.BadParameter(f"{window!r} is not a time such as 12h, 7d or 2w", param_hint="--window")
    with exit_on_error():
        plan = drift_check.Plan(datetime.now(UTC), timedelta_of(window) if window else None, is_dry=True)
        result = drift_check.check(dataset(name), plan, by="")
    if isinstance(result, drift_check.Skipped):
        typer.echo(f"nothing is compared: {result.reason}")
        return
    typer.echo(result.figures["sentence"])
    cells = [
        (one["subject"], f"{one['effect']:.3f}", f"{one['q_value']:.3g}", one["verdict"])
        for one in result.figures["findings"]
    ]
    print_table(("what", "effect", "p, adjusted", "verdict"), cells)
    typer.echo(f"{result.report_key} is in the bucket {drift_check.BUCKET}")
