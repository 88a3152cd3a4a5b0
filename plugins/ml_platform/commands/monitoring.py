"""`ml-platform monitor`: the checks of `monitor_<data set>`, as a dry run, and what they would start."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ml_platform.commands.support import exit_on_error, print_table, use_servers, use_specs_folder

if TYPE_CHECKING:
    from ml_platform.specs.shadow import Shadow
    from ml_platform.specs.spec import Dataset


def monitor(
    name: Annotated[str, typer.Argument(help="a data set")],
    window: Annotated[
        str, typer.Option(help="rows of the time before now, such as 7d; default: as in monitor_<data set>")
    ] = "",
) -> None:
    """Compare what the live model scores with its training, and with the truth. Only the pages are written.

    Says also whether a bad verdict would start a training, and what followed from the last ones.
    """
    use_specs_folder()
    use_servers()
    from ml_platform.monitoring import drift_check, performance_check  # only what a command needs is loaded
    from ml_platform.monitoring.retraining import VERDICTS
    from ml_platform.specs.catalog import dataset
    from ml_platform.specs.parts import DURATION, timedelta_of

    if window and not re.fullmatch(DURATION, window):
        raise typer.BadParameter(f"{window!r} is not a time such as 12h, 7d or 2w", param_hint="--window")
    spec, bad = dataset(name), []
    plan = drift_check.Plan(datetime.now(UTC), timedelta_of(window) if window else None, is_dry=True)
    for title, check, table in (
        ("drift", drift_check.check, _findings),
        ("performance", performance_check.check, _mistakes),
    ):
        with exit_on_error():
            result = check(spec, plan, by="")
        typer.echo(f"\n{title}")
        if isinstance(result, drift_check.Skipped):
            typer.echo(f"nothing is compared: {result.reason}")
            continue
        typer.echo(result.figures["sentence"])
        table(result.figures)
        bad += [result.verdict] * (VERDICTS.get(result.kind) == result.verdict)
        typer.echo(f"{result.report_key} is in the bucket {drift_check.BUCKET}")
    if spec.monitor.retrains:
        with exit_on_error():
            _retraining(spec, ", ".join(bad))
    if spec.shadow:
        with exit_on_error():
            typer.echo(f"\nshadow\n{_shadow(spec, spec.shadow)}")


def _shadow(dataset: "Dataset", rule: "Shadow") -> str:
    """Return how far the shadow is."""
    from ml_platform.monitoring import shadow_records, shadow_truth
    from ml_platform.specs.parts import timedelta_of

    if (found := shadow_records.current(dataset.name)) is None:
        return "no challenger is in shadow"
    end = found.began_at + timedelta_of(rule.within)
    known = f"{shadow_truth.count(dataset, found):,} of {rule.rows:,} rows have a truth"
    return f"version {found.version} beside champion {found.champion}: {known}; it lasts until {end:%Y-%m-%d %H:%M} UTC"


def _retraining(dataset: "Dataset", cause: str) -> None:
    """Print what these verdicts would start, and what followed from the last ones."""
    from ml_platform.monitoring import retraining

    typer.echo("\nretraining")
    found, now = retraining.situation(dataset), datetime.now(UTC)
    if found.version is not None:  # drift that an earlier check found stays until a check finds none
        cause = cause or ", ".join(retraining.bad_verdicts(dataset.name, found.version, now))
    if cause or found.version is None:
        decision = retraining.judge(dataset.monitor, cause or retraining.NO_MODEL, found, now)
        would = "would start" if decision.is_started else "would not start"
        typer.echo(f"monitor_{dataset.name} {would} a training: {decision.reason}")
    else:
        typer.echo("there is no reason for a training")
    if cells := [
        (f"{at:%Y-%m-%d %H:%M}", "began" if one.is_started else "none", one.cause, one.reason)
        for at, one in retraining.recent(dataset.name, 5)
    ]:
        print_table(("UTC", "retraining", "after", "reason"), cells)


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
