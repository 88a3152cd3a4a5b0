"""The table of the documents is replaced with its line below, and nothing else; both sides are measured."""

import pytest

from benchmarks import bench_reasons as bench
from benchmarks.bench_snapshot_ensemble import load

LINES = ["| new \\1 |\n", "|---|\n", "\nNew line.\n"]


def test_only_the_table_after_the_mark_is_replaced(tmp_path) -> None:
    page = tmp_path / "page.md"
    text = f"before\n\n| another |\n\n{bench.BEGIN}\n\n| old |\n|---|\n| 1 |\n\nOld line.\n\nafter\n"
    page.write_text(text, encoding="utf-8")
    for _ in range(2):
        bench.write(page, LINES)
        expected = text.replace("| old |\n|---|\n| 1 |\n\nOld line.\n", "".join(LINES))
        assert page.read_text(encoding="utf-8") == expected


def test_a_page_without_the_table_is_named(tmp_path) -> None:
    (tmp_path / "page.md").write_text(f"{bench.BEGIN}\n\nno table\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"page\.md: there is no table"):
        bench.write(tmp_path / "page.md", LINES)


def test_the_documents_have_a_table_to_replace(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    bench.write(page, LINES)


@pytest.mark.slow
@pytest.mark.sockets
def test_both_sides_are_measured(monkeypatch) -> None:
    monkeypatch.setattr(bench, "ROUNDS", 1)
    monkeypatch.setattr(bench, "REQUESTS", 1)
    model = bench.loaded("logistic_regression", load("auto"))
    assert min(*bench.of_a_file(model, bench.rows_of_file()), *bench.over_http(model)) > 0
