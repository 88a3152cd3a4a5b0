"""The shape of a check, and how checks are run: a server that is away is one finding, not an error in each check."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx
import psutil
import psycopg2
from botocore.exceptions import BotoCoreError, ClientError

from ml_platform.exceptions import PlatformError
from stack.airflow_api import AirflowError
from stack.config import Config
from stack.errors import StackError

# what a check may meet where a server has just been stopped
OUTAGES = (
    *(OSError, ValueError, httpx.HTTPError, psutil.Error, psycopg2.Error, BotoCoreError, ClientError),
    *(AirflowError, PlatformError, StackError),
)


@dataclass(frozen=True)
class Check:
    """What is looked at.

    Attributes:
        name: what should be true.
        find: yields a sentence for each problem.
        fix: what to do about its problems.
        needs: names of servers without which it cannot look.
        is_heavy: whether it takes much memory or long, so that a page runs it only when a person asks for it.
    """

    name: str
    find: Callable[[Config], Iterable[str]]
    fix: str
    needs: tuple[str, ...] = ()
    is_heavy: bool = False

    def problems(self, config: Config) -> tuple[str, ...]:
        """Look; an outage meanwhile is a problem, too."""
        try:
            return tuple(self.find(config))
        except OUTAGES as error:
            return (f"this cannot be checked: {error}",)


@dataclass(frozen=True)
class Finding:
    """A problem, the check that found it, and what to do about it."""

    check: str
    problem: str
    fix: str


@dataclass(frozen=True)
class Diagnosis:
    """The result of all checks.

    Attributes:
        passed: names of the checks that found nothing.
        findings: what the others found.
        skipped: why a check could not look, by its name.
    """

    passed: tuple[str, ...]
    findings: tuple[Finding, ...]
    skipped: Mapping[str, str]


def diagnose(config: Config, servers: Check, away: Mapping[str, str], checks: Iterable[Check]) -> Diagnosis:
    """Run checks.

    Args:
        config: the platform.
        servers: the check whose problems are in `away`.
        away: the problem of each server that is not healthy, by its name.
        checks: all others.
    """
    found = {servers: tuple(f"{name}: {problem}" for name, problem in away.items())}
    skipped: dict[str, str] = {}
    for check in checks:
        if lacking := [name for name in check.needs if name in away]:
            skipped[check.name] = f"needs {', '.join(lacking)}"
        else:
            found[check] = check.problems(config)
    return Diagnosis(
        tuple(check.name for check, problems in found.items() if not problems),
        tuple(Finding(check.name, text, check.fix) for check, problems in found.items() for text in problems),
        skipped,
    )
