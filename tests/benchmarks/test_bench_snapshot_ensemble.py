"""The tables of the documents are replaced, and nothing else; the samples are split as a training splits them."""

import pytest

from benchmarks import bench_snapshot_ensemble as bench
from ml_platform.training.candidates import Candidate
from ml_platform.training.search import evaluate

PAGE = f"before\n\n| a table | of others |\n\ntext {bench.BEGIN}\n\n| old |\n|---|\n| 1 |\n\nafter\n\n| another |\n"


def test_only_the_table_after_the_mark_is_replaced(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    for _ in range(2):
        bench.write(page, ["| new \\1 |\n", "|---|\n"])
        assert page.read_text(encoding="utf-8") == PAGE.replace("| old |\n|---|\n| 1 |\n", "| new \\1 |\n|---|\n")


@pytest.mark.parametrize("text", ["", "| a table |\n", f"{bench.BEGIN}\n\nno table\n"])
def test_a_page_without_the_table_is_named(text, tmp_path) -> None:
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"page\.md: there is no table after"):
        bench.write(tmp_path / "page.md", ["| new |\n"])


@pytest.mark.parametrize("page", [bench.PAGE, bench.README], ids=lambda page: page.name)
def test_the_documents_have_a_table_to_replace(page) -> None:
    before, mark, after = page.read_text(encoding="utf-8").partition(bench.BEGIN)
    assert mark
    assert after.startswith("\n\n| sample | side |")
    assert bench.BEGIN not in before + after


@pytest.mark.slow
def test_a_side_is_measured_as_a_search_does() -> None:
    parts = bench.load("auto")
    folds, candidate = parts.folds(bench.FOLDS), Candidate("logistic_regression", {})
    outcome = bench.measure(candidate, parts, folds)
    assert parts.task.classes == ("0", "1")
    assert outcome.scores == evaluate(candidate, parts.dataset, parts.task, *parts.train(), folds).folds
    assert len(outcome.seconds) == bench.FOLDS
