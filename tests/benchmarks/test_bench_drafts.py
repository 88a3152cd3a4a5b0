from pathlib import Path

import pytest
import yaml

from benchmarks import bench_drafts
from benchmarks.bench_drafts import ASKED, RIGHT, WRONG, measure, report, summary

LINES = [
    "id,size,colour,churned",
    *(f"k{i},{i * 37 % 60}.5,{'rgb'[i % 3]},{'yes' if i % 2 else 'no'}" for i in range(60)),
]
TRUTH = {
    "name": "made", "package": "none", "keys": [["id"]], "times": [None],
    "label": {"column": "churned", "kind": "classes"},
    "types": {"category": None, "text": ["id"], "number": ["size"], "boolean or category": ["churned"]},
}  # fmt: skip


def measured(tmp_path: Path, *, lines: list[str] = LINES, **changes: object) -> bench_drafts.Score:
    file = tmp_path / "data.csv"
    file.write_text("\n".join(lines))
    return measure(TRUTH | changes, file, tmp_path)


def test_a_right_draft(tmp_path: Path) -> None:
    score = measured(tmp_path)
    assert (score.columns, score.wrong, score.key, score.time, score.label) == (4, [], "", "", RIGHT)
    assert score.line() == "| made (none) | 60 | 4 of 4 | right | right | right: churned | 0 |\n"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"keys": [[]]}, "| 4 of 4 | wrong: id | right | right: churned | 0 |"),
        ({"times": ["day"]}, "| 4 of 4 | right | wrong: none | right: churned | 0 |"),
        ({"label": {"column": "size", "kind": "number"}}, "| 4 of 4 | right | right | wrong: churned | 0 |"),
        ({"types": {"text": None}}, "| 1 of 4 (size: number, colour: category, churned: category) | right |"),
    ],
    ids=["key", "time", "label", "types"],
)
def test_a_wrong_draft_says_what_is_wrong(tmp_path: Path, changes: dict[str, object], line: str) -> None:
    assert line in measured(tmp_path, **changes).line()


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"label": {"column": "price", "kind": "number"}}, ASKED),
        ({"label": {"column": "size", "kind": "number"}}, WRONG),
    ],
    ids=["it lists the right one", "it does not"],
)
def test_a_draft_that_asks_is_not_right(tmp_path: Path, changes: dict[str, object], label: str) -> None:
    lines = [
        "size,sales,price,on",
        *(f"{i}.5,{i * 37 % 60}.5,{i * 41 % 60}.5,{'yes' if i % 2 else 'no'}" for i in range(60)),
    ]
    types = {"number": None, "boolean or category": ["on"]}
    assert measured(tmp_path, lines=lines, types=types, keys=[[]], **changes).label == label


def test_a_draft_that_asks_is_right_where_a_person_must_choose(tmp_path: Path) -> None:
    lines = ["sales,price,n", *(f"{i * 37 % 60}.5,{i * 41 % 60}.5,x{i % 3}" for i in range(60))]
    truth = {key: value for key, value in TRUTH.items() if key != "label"}
    truth |= {"ambiguous": ["sales", "price"], "types": {"number": None, "category": ["n"]}, "keys": [[]]}
    file = tmp_path / "data.csv"
    file.write_text("\n".join(lines))
    score = measure(truth, file, tmp_path)
    assert (score.label, score.drafted) == (RIGHT, "sales, price?")


def test_a_column_of_the_truth_that_is_not_there_ends_the_benchmark(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="made has no column weight"):
        measured(tmp_path, types={"category": None, "number": ["weight"]})


def test_the_rates_count_tables_columns_and_labels(tmp_path: Path) -> None:
    score = measured(tmp_path)
    assert summary("all", [score]) == "| all | 1 | 100.0% of 4 | 1 of 1 | 1 of 1 | 100% (1 of 1) | 0 | 0 |\n"
    assert "".join(report([score])).count("| made (none) |") == 1


def test_the_truth_has_enough_tables_and_some_held_out() -> None:
    truth = yaml.safe_load(bench_drafts.TRUTH.read_text(encoding="utf-8"))
    tables = truth["tables"]
    assert len({table["name"] for table in tables}) == len(tables) >= 25
    assert sum(table.get("held_out", False) for table in tables) >= 6
    assert {table["package"] for table in tables} == {*truth["packages"], "scikit-learn"}
    assert all(table.get("is_table") or ("label" in table) != ("ambiguous" in table) for table in tables)


def test_the_results_replace_those_in_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "drafts.md"
    page.write_text(f"before\n{bench_drafts.BEGIN}old{bench_drafts.END}after\n")
    monkeypatch.setattr(bench_drafts, "PAGE", page)
    bench_drafts.write(["| new |\n"])
    assert page.read_text() == f"before\n{bench_drafts.BEGIN}\n| new |\n\n{bench_drafts.END}after\n"
