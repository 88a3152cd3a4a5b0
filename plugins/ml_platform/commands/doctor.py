"""The command `ml-platform doctor`: runs all checks, and prints what they find."""

import json
from dataclasses import asdict

import typer

from ml_platform.commands.support import counted
from ml_platform.doctor.check import Diagnosis, diagnose
from ml_platform.doctor.table import CHECKS, SERVERS
from stack.config import Config
from stack.target import runner


def examine(config: Config) -> Diagnosis:
    """Run all checks on a platform."""
    return diagnose(config, SERVERS, runner(config).problems(config), CHECKS)


def show(diagnosis: Diagnosis, *, as_json: bool) -> None:
    """Print a diagnosis for people, or as JSON for programs."""
    if as_json:
        typer.echo(json.dumps({"healthy": not diagnosis.findings, **asdict(diagnosis)}, indent=1))
        return
    for name in diagnosis.passed:
        typer.echo(f"ok         {name}")
    for name, reason in diagnosis.skipped.items():
        typer.echo(f"unchecked  {name}: {reason}")
    for name in dict.fromkeys(finding.check for finding in diagnosis.findings):
        own = [finding for finding in diagnosis.findings if finding.check == name]
        typer.secho(f"PROBLEM    {name}", fg="red")
        for finding in own:
            typer.echo(f"             {finding.problem}")
        typer.echo(f"           To fix it: {own[0].fix}.")
    total = len(diagnosis.findings)
    typer.echo(f"\n{counted(total, 'problem')}." if total else "\nNo problem was found.")
