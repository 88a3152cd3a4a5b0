"""`ml-platform monitor`: the checks of `monitor_<data set>`, as a dry run."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, use_specs_folder


def monitor(
    name: Annotated[str, typer.Argument(help="a data set")],
    window: Annotated[
        str, typer.Option(help="rows of the time before now, such as 7d; default: as in monitor_<data set>")
    ] = "",
) -> None:
    """Compare what the live model scores with its training, and with the truth. Only the pages are written."""
    use_specs_folder()
    use_servers()
    from ml_platform.monitoring import drift_check, performance_check  # only what a command needs is loaded
    from ml_platform.specs.catalog import dataset
    from ml_platform.specs.parts import DURATION, timedelta_of

    if window and not re.fullmatch(DURATION, window):
        raise typer.BadParameter(f"{window!r} is not a time such as 12h, 7d or 2w", param_hint="--window")
    plan = drift_check.Plan(datetime.now(UTC), timedelta_of(window) if window else None, is_dry=True)
    for title, check, table in (
        ("drift", drift_check.check, _findings),
        ("performance", performance_check.check, _mistakes),
    ):
        with exit_on_error():
            result = check(dataset(name), plan, by="")
        typer.echo(f"\n{title}")
        if isinstance(result, drift_check.Skipped):
            typer.echo(f"nothing is compared: {result.reason}")
            continue
        typer.echo(result.figures["sentence"])
        table(result.figures)
        typer.echo(f"{result.report_key} is in the bucket {drift_check.BUCKET}")


def _findings(figures: Mapping[str, Any]) -> None:
    cells = [
        (one["subject"], f"{one['effect']:.3f}", f"{one['q_value']:.3g}", one["verdict"]) for one in figures["findings"]
    ]
    print_table(("what", "effect", "p, adjusted", "verdict"), cells)


def _mistakes(figures: Mapping[str, Any]) -> None:
    if cells := [
        (
            one["kind"], f"{one['on_holdout']:.1%}", f"{one['promised']:.1%}", f"{one['seen']:.1%}",
            "more than promised" if one["is_broken"] else "as promised",
        )
        for one in figures["mistakes"]
    ]:  # fmt: skip
        print_table(("mistakes", "on the hold-out", "promised at most", "seen", "verdict"), cells)
    if worse := [
        (f"{one['column']}: {one['group']}", f"{one['promised']['value']:.3g}", f"{one['seen']['value']:.3g}")
        for one in figures["segments"]
        if one["is_worse"]
    ]:
        print_table(("worse in the segment", f"{figures['metric']} on the hold-out", "seen"), worse)
