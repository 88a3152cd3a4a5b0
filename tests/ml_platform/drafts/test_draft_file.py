import gzip
import json
import random
from datetime import date, timedelta

import pytest

from ml_platform.drafts import spec_check
from ml_platform.drafts.draft_file import write_draft
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs.catalog import parse_yaml, read_table
from ml_platform.specs.parts import Column
from stack.config import ROOT
from tests.ml_platform.drafts.support import draft_of

SAMPLES = ROOT / "minio" / "samples"
RANDOM = random.Random(0)  # noqa: S311 – no secret


def test_the_draft_of_the_sample_agrees_with_the_committed_spec(tmp_path):
    draft = write_draft(SAMPLES / "train_auto.csv", "auto", tmp_path)
    spec, written = read_table(draft.path), read_table(ROOT / "datasets" / "auto.yaml")
    assert spec.entity.key == ("INDEX",)
    assert (spec.label.column, spec.label.positive, spec.leaks) == ("TARGET_FLAG", 1, ("TARGET_AMT",))
    assert spec.event_time is None
    same_reading = {"category": "words", "boolean": "words", "text": "words"}
    kinds = [{n: same_reading.get(c.type, c.type) for n, c in one.columns.items()} for one in (spec, written)]
    assert kinds[0] == kinds[1]
    assert (draft.trial.rows_read, draft.trial.rows_rejected) == (8161, 0)
    text = draft.path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert 'INCOME: money         # 7,716 of 7,716 cells, 445 missing, "$0" … "$343,951"' in text
    assert spec_check.problems(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "label", "positive", "event_time"),
    [("train_flights.csv.gz", "late", "yes", "sched_dep"), ("train_penguins.csv", "Species", None, "date_egg")],
)
def test_other_samples_are_loaded_by_their_drafts(tmp_path, sample, label, positive, event_time):
    draft = write_draft(SAMPLES / sample, "made", tmp_path)
    spec = read_table(draft.path)
    assert (spec.label.column, spec.label.positive, spec.event_time) == (label, positive, event_time)
    assert (draft.trial.rows_rejected, draft.trial.duplicate_rows) == (0, 0)
    assert spec_check.problems(tmp_path) == []


def test_a_feature_table_has_no_label(tmp_path):
    draft = write_draft(SAMPLES / "weather.csv.gz", "weather", tmp_path, is_table=True)
    spec = read_table(draft.path)
    assert spec.entity.key == ("origin",)
    assert spec.event_time == "observed_at"
    assert draft.trial.rows_rejected == 0
    assert "ttl: null" in draft.path.read_text(encoding="utf-8")


def test_a_german_file_is_drafted_with_its_encoding_decimals_and_dates(tmp_path):
    lines = ["Kundennr;Bestellt am;Umsatz;Größe (cm);PLZ;Gekündigt"]
    for i in range(200):
        day = date(2024, 1, 1) + timedelta(days=i)
        lines.append(f"{i:06d};{day:%d.%m.%Y};1.{i:03d},5;{150 + i},5;{i % 90 + 1000:05d};{'ja' if i % 3 else 'nein'}")
    spec, draft, text = draft_of(tmp_path, lines, encoding="cp1252")
    assert spec.encoding == "cp1252"
    assert spec.entity.key == ("Kundennr",)
    assert spec.columns["Kundennr"].type == "text"  # its leading zeros would be lost
    assert spec.columns["PLZ"].type == "text"
    assert spec.columns["Umsatz"] == Column(type="number", decimal=",")
    assert spec.columns["groesse_cm"] == Column(type="number", decimal=",", header="Größe (cm)")
    assert spec.columns["bestellt_am"].format == "%d.%m.%Y"
    assert spec.event_time == "bestellt_am"
    assert (spec.label.column, spec.label.positive) == ("gekuendigt", "nein")  # the rarer
    assert draft.trial.rows_rejected == 0
    assert "not UTF-8; cp1252 is a guess" in text


def test_several_classes_long_ids_and_a_key_that_needs_the_time(tmp_path):
    lines = ["account_id,day,balance,risk class"]
    lines += [f"{10**18 + i // 2},2024-01-{1 + i % 2:02d},{RANDOM.randint(0, 999)},{'ABC'[i % 3]}" for i in range(120)]
    spec, draft, text = draft_of(tmp_path, lines)
    assert spec.columns["account_id"].type == "text"  # 19 digits
    assert (spec.entity.key, spec.event_time) == (("account_id",), "day")
    assert spec.label.classes == ("A", "B", "C")
    assert spec.columns["risk_class"].header == "risk class"
    assert "unique only together with day" in text
    assert draft.trial.duplicate_rows == 0


def test_features_are_no_key_and_a_constant_is_ignored(tmp_path):
    lines = ["store,week,sales,const,bad"]
    lines += [f"{s},{w},{RANDOM.random():.3f},x,{int(RANDOM.random() < 0.2)}" for s in range(20) for w in range(9)]
    spec, draft, _ = draft_of(tmp_path, lines)
    assert (spec.entity.key, spec.entity.name) == ((), "row")
    assert spec.ignore == ("const",)
    assert (spec.label.column, spec.label.positive) == ("bad", 1)
    assert (draft.trial.rows_rejected, draft.trial.duplicate_rows) == (0, 0)


def test_a_key_can_be_given(tmp_path):
    lines = ["store,week,sales,bad"]
    lines += [f"{s},{w},{RANDOM.random():.3f},{int(RANDOM.random() < 0.2)}" for s in range(20) for w in range(9)]
    spec, _, _ = draft_of(tmp_path, lines, key=["store", "week"])
    assert spec.entity.key == ("store", "week")
    with pytest.raises(ConfigurationError, match="--key 'sales' is not a column of type"):
        draft_of(tmp_path, lines, key=["sales"], name="other")


def test_a_number_is_drafted_as_the_label(tmp_path):
    lines = [
        "id,size,town,price",
        *(f"{i},{i % 37},{'abc'[i % 3]},{1000 + RANDOM.random() * 900:.2f}" for i in range(99)),
    ]
    spec, draft, _ = draft_of(tmp_path, lines)
    assert (spec.label.column, spec.label.kind, spec.label.positive) == ("price", "number", None)
    assert draft.trial.rows_rejected == 0
    assert draft_of(tmp_path, lines, label="size", name="other")[0].label.kind == "number"


def test_a_file_with_only_a_time_is_drafted(tmp_path):
    lines = [
        "time,load,target",
        *(f"2026-01-{1 + i // 24:02d} {i % 24:02d}:00,{i % 9}.5,{i * 37 % 60}" for i in range(72)),
    ]
    spec, _, _ = draft_of(tmp_path, lines)
    assert (spec.entity.key, spec.event_time, spec.label.column) == ((), "time", "target")


def test_if_several_columns_could_be_the_label_nothing_is_written(tmp_path):
    lines = ["sales,price,abroad", *(f"{i * 37 % 60}.5,{i * 41 % 60}.5,{'yes' if i % 2 else 'no'}" for i in range(60))]
    with pytest.raises(ConfigurationError, match="2 columns could be the label; nothing is written"):
        draft_of(tmp_path, lines)
    assert not (tmp_path / "made.yaml").exists()
    assert draft_of(tmp_path, lines, label="sales")[0].label.kind == "number"


def test_json_lines_with_missing_words_and_hostile_texts(tmp_path):
    hostile = 'x"\n# - injected: true\u2028\x85'
    rows = [
        {
            "id": i,
            "n": "NA" if i % 5 == 0 else str(i % 7),
            "m": "NA" if i % 4 else f"{i}.5",
            hostile: hostile,
            "y": i % 2,
        }
        for i in range(1, 60)
    ]
    file = tmp_path / "rows.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    draft = write_draft(file, "made", tmp_path)
    spec = read_table(draft.path)
    assert spec.missing == ("NA",)
    assert spec.columns["n"].type == "integer"
    assert "injected" not in parse_yaml(draft.path.read_text(encoding="utf-8"))
    assert draft.trial.rows_rejected == 0


def test_too_many_bad_rows_are_explained_and_the_tolerance_stays(tmp_path):
    lines = ["id,age,y", *(f"{i},{20 + i % 50},{i % 2}" for i in range(100)), "100,old,1"]
    lines += [f"{i},30," for i in range(101, 121)]
    spec, draft, text = draft_of(tmp_path, lines)
    assert draft.trial.rows_rejected == 21
    assert draft.trial.refusal
    assert spec.max_bad_rows == 0.05
    assert draft.review_notes[0].startswith("THE FILE WOULD BE REJECTED: 21 rows are bad")
    assert 'age is no integer in 1 rows ("old", …); y, the label, has no value in 20 rows' in text
    assert "max_bad_rows:" not in text


def test_a_few_bad_rows_are_listed_and_the_file_is_loaded(tmp_path):
    lines = ["id,age,y", *(f"{i},{20 + i % 50},{i % 2}" for i in range(100)), "100,old,1"]
    _, draft, _ = draft_of(tmp_path, lines)
    assert (draft.trial.rows_rejected, draft.trial.refusal) == (1, "")
    assert any("old" in note for note in draft.review_notes)


def test_a_given_label_is_used(tmp_path):
    lines = ["id,a,b,target", *(f"{i},{i % 2},{i % 3},{i % 2}" for i in range(60))]
    spec, _, _ = draft_of(tmp_path, lines, label="b")
    assert spec.label.column == "b"
    with pytest.raises(ConfigurationError, match=r"--label 'c'.*allowed: id, a, b, target"):
        draft_of(tmp_path, lines, label="c", name="other")


def test_a_draft_without_a_key_says_so_and_loads_its_file(tmp_path):
    lines = ["colour,size,weight,y", *(f"{'rgb'[i % 3]},{i % 5},{i % 9}.5,{i % 2}" for i in range(90))]
    spec, draft, _ = draft_of(tmp_path, lines)
    assert spec.entity.key == ()
    assert any(note.startswith("entity: no column identifies a row") for note in draft.review_notes)
    assert (draft.trial.rows_rejected, draft.trial.duplicate_rows) == (0, 0)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["id,y", *(f"{i},k{i}" for i in range(50))], "no column can be the label.*--table"),
        (["id,y"], "no rows follow"),
        (["id,id,y", "1,2,3"], "names a column twice"),
    ],
)
def test_a_file_that_cannot_become_a_data_set_says_why(tmp_path, lines, reason):
    with pytest.raises((ConfigurationError, ContractError), match=reason):
        draft_of(tmp_path, lines)
    assert not (tmp_path / "made.yaml").exists()


def test_half_a_character_in_json_is_a_row_that_does_not_fit(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(f'{{"id": {i}, "town": "K\\u00f6ln {i % 3}", "y": {i % 2}}}' for i in range(50)))
    with file.open("a") as out:
        out.write('\n{"id": 50, "town": "\\ud800", "y": 1}\n')
    draft = write_draft(file, "made", tmp_path)
    assert read_table(draft.path).encoding is None
    assert (draft.trial.rows_read, draft.trial.rows_rejected) == (51, 1)


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        write_draft(SAMPLES / "train_penguins.csv", "made", tmp_path / "none")


@pytest.mark.parametrize("name", ["Churn", "1a", "a b", "../a", "train_x", "", "auto", "auto2", "au"])
def test_invalid_and_taken_names_are_refused(tmp_path, name):
    existing = tmp_path / "auto.yaml"
    existing.write_text("mine")
    with pytest.raises(ConfigurationError, match=r"name|not overwritten"):
        write_draft(SAMPLES / "train_auto.csv", name, tmp_path)
    assert existing.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [existing]


def test_long_headers_and_a_long_name_make_a_valid_draft(tmp_path):
    question = f"How satisfied are you, all in all, {'really, ' * 30}with the service?"
    header = f'id,{"a_long_name" * 5},"{question}",y'
    lines = [header, *(f"n{i},{RANDOM.random():.3f},{i % 5},{i % 2}" for i in range(60))]
    spec, draft, _ = draft_of(tmp_path, lines, name="customer_churn_of_the_year_2024")
    assert spec_check.problems(tmp_path) == []
    assert (draft.trial.rows_read, draft.trial.rows_rejected) == (60, 0)
    assert question in [column.header for column in spec.columns.values()]


def test_a_word_that_is_a_value_in_one_column_is_missing_only_in_others(tmp_path):
    lines = ["id,a,b,plan,y"]
    for i in range(120):
        a, b = ("unknown" if i % 9 == j else f"{RANDOM.random():.2f}" for j in (1, 2))
        lines.append(f"k{i},{a},{b},{('basic', 'gold', 'unknown', 'none')[i % 4]},{i % 2}")
    spec, draft, _ = draft_of(tmp_path, lines)
    assert spec.missing == ()
    assert spec.columns["a"].missing == spec.columns["b"].missing == ("unknown",)
    assert spec.columns["plan"].missing == ()
    assert draft.trial.rows_rejected == 0


def test_one_value_beside_empty_cells_is_not_constant(tmp_path):
    lines = ["id,flag,empty,y", *(f"k{i},{'X' if i % 3 else ''},,{i % 2}" for i in range(60))]
    spec, _, _ = draft_of(tmp_path, lines)
    assert "flag" in spec.own_features
    assert spec.ignore == ("empty",)


def test_rows_without_a_key_share_an_entity_unless_its_name_has_a_key(tmp_path):
    lines = ["a,b,y", *(f"{i % 5}.5,{i % 7},{i % 2}" for i in range(50))]
    assert draft_of(tmp_path, lines, name="churn")[0].entity.name == "row"
    assert draft_of(tmp_path, lines, name="sales")[0].entity.name == "row"
    keyed = ["row_id,x,y", *(f"{i},{i % 7},{i % 2}" for i in range(50))]
    assert draft_of(tmp_path, keyed, name="orders")[0].entity.name == "orders_row"


def test_the_entity_is_named_after_the_key_or_else_after_the_data_set(tmp_path):
    lines = ["customer_id,x,y", *(f"{i},{i % 7},{i % 2}" for i in range(50))]
    assert draft_of(tmp_path, lines, name="churn")[0].entity.name == "customer"
    assert draft_of(tmp_path, lines, name="sales")[0].entity.name == "sales_customer", "customer is taken by churn"
    lines[0] = "id,x,y"
    assert draft_of(tmp_path, lines, name="orders")[0].entity.name == "orders"


def test_a_draft_is_written_once(tmp_path):
    lines = ["id,x,y", *(f"{i},{i % 7},{i % 2}" for i in range(50))]
    path = draft_of(tmp_path, lines)[1].path
    text = path.read_text(encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"made\.yaml is there already and is not overwritten"):
        draft_of(tmp_path, lines)
    assert path.read_text(encoding="utf-8") == text
