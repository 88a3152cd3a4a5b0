"""A new data set, step by step, without a page."""

import gzip
from pathlib import Path

import pytest

from ml_platform.drafts import spec_edit
from ml_platform.drafts.wizard import begin
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs.catalog import parse_yaml
from stack.config import ROOT

SAMPLES = ROOT / "minio" / "samples"
LINES = ["id,age,sex,when,sales,price,unit"] + [
    f"k{i},{20 + i * 7 % 50},{'fm'[i % 2]},2026-01-{1 + i % 28:02d},{i * 37 % 60}.5,{i * 41 % 61}.5,m"
    for i in range(60)
]


@pytest.fixture(autouse=True)
def _no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_edit.tables, "incompatible_changes", lambda table: [])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "train_shop.csv"
    file.write_text("\n".join(LINES) + "\n")
    return file


def test_the_sample_is_ready_at_once(tmp_path: Path) -> None:
    wizard = begin(SAMPLES / "train_auto.csv", tmp_path)
    assert (wizard.answers.name, wizard.answers.label, wizard.name_problem) == ("auto", "TARGET_FLAG", "")
    assert (wizard.check().is_good, wizard.trial_problem(), wizard.trial().rows_read) == (True, "", 8161)
    assert wizard.text() == wizard.first_text()
    assert wizard.object_key() == "train_auto.csv"
    assert "its name is typical of a label" in wizard.notes()[1]


def test_a_person_chooses_the_label_where_several_could_be(shop: Path, tmp_path: Path) -> None:
    wizard = begin(shop, tmp_path)
    assert (wizard.answers.name, wizard.answers.label) == ("shop", None)
    assert {candidate.column for candidate in wizard.labels[1]} == {"sales", "price"}
    assert wizard.check().problems == ("The label is not chosen yet.",)
    with pytest.raises(ConfigurationError, match="not chosen yet"):
        wizard.rows()
    chosen = wizard.answer(label="price")
    assert chosen.check().is_good
    assert [row.role for row in chosen.rows()] == ["key", "", "", "event time", "", "label", ""]


def test_corrections_are_in_the_spec_and_in_the_difference(shop: Path, tmp_path: Path) -> None:
    wizard = begin(shop, tmp_path).answer(label="price")
    corrected = wizard.answer(
        types={"age": "category"}, uses={"sales": "leak", "unit": "feature"}, sensitive=frozenset({"sex"}), time=""
    )
    spec = parse_yaml(corrected.text())
    assert spec["columns"]["age"] == "category"
    assert (spec["leaks"], spec["sensitive"], spec["event_time"], spec.get("ignore")) == (
        ["sales"], ["sex"], None, None,
    )  # fmt: skip
    assert corrected.check().is_good
    assert corrected.first_text() == wizard.text() != corrected.text()


def test_another_key_or_none(shop: Path, tmp_path: Path) -> None:
    wizard = begin(shop, tmp_path).answer(label="price")
    assert wizard.choices.key == ("id",)
    assert parse_yaml(wizard.answer(key=()).text())["entity"] == {"name": "row"}
    assert parse_yaml(wizard.answer(key=("id", "sex")).text())["entity"]["key"] == ["id", "sex"]
    assert set(wizard.possible_keys) >= {"id", "age", "sex"}
    assert wizard.possible_times == ["when"]


def test_a_type_that_does_not_fit_shows_which_rows_would_be_rejected(shop: Path, tmp_path: Path) -> None:
    wizard = begin(shop, tmp_path).answer(label="price", types={"sex": "number"})
    row = next(row for row in wizard.rows() if row.name == "sex")
    assert (row.type, row.evidence.rpartition("; ")[2]) == ("number", 'does not fit: "f", "m"')
    assert "60 of 60 rows" in wizard.trial_problem() or "100" in wizard.trial_problem()
    assert wizard.trial().rows_rejected == 60


def test_a_feature_table(shop: Path, tmp_path: Path) -> None:
    wizard = begin(shop, tmp_path).answer(is_table=True)
    spec = parse_yaml(wizard.text())
    assert (spec["kind"], "label" in spec, wizard.object_key()) == ("table", False, "shop.csv")
    assert wizard.check().is_good


@pytest.mark.parametrize("name", ["Shop", "train_shop", "", "x y", "../x", "au", "auto_two"])
def test_a_name_that_is_not_allowed_says_why(shop: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "auto.yaml").write_text("name: auto\n")
    wizard = begin(shop, tmp_path).answer(label="price", name=name)
    assert wizard.name_problem
    assert not wizard.check().is_good


def test_a_longer_name_leaves_less_room_for_names_of_columns(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    header = "c" * 50
    file.write_text(f"id,{header},target\n" + "".join(f"k{i},{i},{i % 2}\n" for i in range(60)))
    wizard = begin(file, tmp_path)
    assert header in wizard.guessed.guesses
    longer = wizard.answer(name="b" * 40)
    assert header not in longer.guessed.guesses
    assert (longer.answers.label, longer.check().is_good) == ("target", True)


def test_hostile_cells_and_headers_stay_data(tmp_path: Path) -> None:
    file = tmp_path / "h.csv"
    rows = "".join(f'k{i},"# x: [{i % 3}]\n- !!python/object",{i % 2}\n' for i in range(30))
    file.write_text(f'id,"a: {{b}} # c",target\n{rows}')
    wizard = begin(file, tmp_path)
    assert wizard.check().is_good
    assert parse_yaml(wizard.text())["columns"]["a_b_c"]["header"] == "a: {b} # c"


def test_other_formats(tmp_path: Path, shop: Path) -> None:
    packed = tmp_path / "train_shop.csv.gz"
    packed.write_bytes(gzip.compress(shop.read_bytes()))
    assert begin(packed, tmp_path).answer(label="price").object_key() == "train_shop.csv.gz"
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises((ConfigurationError, ContractError)):
        begin(empty, tmp_path)


def test_without_any_label_only_a_feature_table_is_possible(tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    file.write_text("id,name\n" + "".join(f"k{i},name {i}\n" for i in range(60)))
    wizard = begin(file, tmp_path)
    assert wizard.labels == ([], [])
    assert not wizard.check().is_good
