"""The page on reliability says what the tests saw, and every promise names tests that exist."""

import re
from pathlib import Path

import pytest

from tests import reliability
from tests.promises import PROMISES, Promise

TESTS = Path(__file__).parent
JUNIT = """<testsuites><testsuite name="pytest">
<testcase classname="tests.x" name="test_held[1]" time="2.0"><properties>
<property name="tried" value="200"/></properties></testcase>
<testcase classname="tests.x" name="test_held[2]" time="1.0"/>
<testcase classname="tests.x" name="test_broke" time="1.0"><failure message="no">trace</failure></testcase>
<testcase classname="tests.x" name="test_set_up" time="1.0"><error message="no server">trace</error></testcase>
<testcase classname="tests.x" name="test_left_out" time="0.0"><skipped message="no PHP"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def cases(tmp_path: Path) -> list[reliability.Case]:
    return list(run(tmp_path / "servers").cases)


def run(folder: Path, junit: str = JUNIT, end: str = "done") -> reliability.Run:
    folder.mkdir()
    (folder / "tests.xml").write_text(junit)
    (folder / "end").write_text(f"{end} v1-3-gabc 2026-11-30 12:00\n")
    return reliability.Run.read(folder)


def test_promises_name_tests_that_exist() -> None:
    defined = {name for path in TESTS.rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert [name for promise in PROMISES for name in promise.tests if name not in defined] == []
    assert [promise.number for promise in PROMISES] == list(range(1, len(PROMISES) + 1))


def test_tries_have_a_bound(cases: list[reliability.Case]) -> None:
    line = reliability.row(Promise(7, "it holds", ("test_held",)), cases)
    assert line == "| 7 | it holds | 2 | 0 of 200 | < 1.50% | held |"


@pytest.mark.parametrize(
    ("test", "seen"),
    [
        ("test_broke", "**broken**: `test_broke (servers)`"),
        ("test_set_up", "**broken**: `test_set_up (servers)`"),
        ("test_left_out", "**not run**"),
        ("test_that_no_run_had", "**not run**"),
    ],
)
def test_what_did_not_hold_or_did_not_run_is_said(cases: list[reliability.Case], test: str, seen: str) -> None:
    assert reliability.row(Promise(1, "it holds", (test,)), cases).endswith(f"| – | – | – | {seen} |")


def test_a_try_that_failed_broke_the_promise(tmp_path: Path) -> None:
    junit = (
        '<testsuite><testcase name="test_held"><properties><property name="tried" value="4"/></properties>'
        '<failure message="no"/></testcase></testsuite>'
    )
    found = run(tmp_path / "x", junit)
    line = reliability.row(Promise(1, "it holds", ("test_held",)), list(found.cases))
    assert "| 1 of 4 | 25.0% seen | **broken**" in line


def test_a_promise_without_a_test_is_no_promise_that_held(cases: list[reliability.Case]) -> None:
    assert "**no test yet**" in reliability.row(Promise(1, "it holds"), cases)


def test_a_known_gap_is_said_also_where_the_tests_pass() -> None:
    passed = reliability.Case("servers", "test_held", "passed", "", 1.0, 0, 0)
    promise = Promise(1, "it holds", ("test_held",), "not on Sundays")
    assert reliability.row(promise, [passed]).endswith("| held, **but known**: not on Sundays |")


def test_the_page_names_failures_skips_and_runs_that_did_not_take_place(tmp_path: Path) -> None:
    (tmp_path / "python-3.13").mkdir()
    (tmp_path / "python-3.13" / "not-run").write_text("no such Python here\n")
    (tmp_path / "containers").mkdir()
    runs = [
        run(tmp_path / "benchmarks", "<testsuite/>"),
        reliability.Run.read(tmp_path / "containers"),
        reliability.Run.read(tmp_path / "python-3.13"),
        run(tmp_path / "servers", end="failed"),
    ]
    text = reliability.page(runs, {"machine": "2 cores"})
    for line in (
        "- machine: 2 cores",
        "| servers | 2026-11-30 12:00 | `v1-3-gabc` | failed | 2 | 2 | 1 | 0.1 |",
        "| benchmarks | 2026-11-30 12:00 | `v1-3-gabc` | done | 0 | 0 | 0 | 0.0 |",
        "| python-3.13 | – | – | **not run** | – | – | – | – |",
        "- failed: `test_broke (servers)`",
        "- containers was **not run**: it was broken off",
        "- python-3.13 was **not run**: no such Python here",
        "- skipped in servers: no PHP",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("junit", "end", "code"),
    [("<testsuite/>", "done", 0), (JUNIT, "done", 1), ("<testsuite/>", "failed", 1)],
    ids=["all well", "a test failed", "the run failed"],
)
def test_a_failure_fails_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junit: str, end: str, code: int
) -> None:
    monkeypatch.setattr(reliability, "DOCUMENT", tmp_path / "reliability.md")
    (tmp_path / "runs").mkdir()
    run(tmp_path / "runs" / "servers", junit, end)
    assert reliability.main(str(tmp_path / "runs")) == code
    assert f"| {end} |" in (tmp_path / "reliability.md").read_text()
