import gzip
import json
import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ml_platform.drafts import spec_check
from ml_platform.drafts.draft_file import write_draft
from ml_platform.drafts.draft_text import scalar
from ml_platform.drafts.file_profile import column_names
from ml_platform.drafts.guessing import guess
from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.specs import schema
from ml_platform.specs.catalog import parse_yaml, read_table
from ml_platform.specs.parts import Column
from stack.config import ROOT

SAMPLES = ROOT / "minio" / "samples"
RANDOM = random.Random(0)  # noqa: S311 – no secret


def drafted(tmp_path, lines, *, name="made", encoding="utf-8", **options):
    """Draft a spec after a file of these lines, and read it back."""
    file = tmp_path / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    done = write_draft(file, name, tmp_path, **options)
    assert spec_check.problems(tmp_path) == []
    text = done.path.read_text(encoding="utf-8")
    assert Draft202012Validator(schema.json_schema()).is_valid(parse_yaml(text))
    return read_table(done.path), done, text


def test_the_sample_comes_out_as_a_person_would_write_it(tmp_path):
    done = write_draft(SAMPLES / "train_auto.csv", "auto", tmp_path)
    found, written = read_table(done.path), read_table(ROOT / "datasets" / "auto.yaml")
    assert found.keys == ("INDEX",)
    assert (found.label.column, found.label.positive, found.leaks) == ("TARGET_FLAG", 1, ("TARGET_AMT",))
    assert found.event_time is None
    read_alike = {"category": "words", "boolean": "words", "text": "words"}
    kinds = [{n: read_alike.get(c.type, c.type) for n, c in spec.columns.items()} for spec in (found, written)]
    assert kinds[0] == kinds[1]
    assert (done.trial.rows_read, done.trial.rows_rejected) == (8161, 0)
    text = done.path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert 'INCOME: money         # 7,716 of 7,716 cells, 445 missing, "$0" … "$343,951"' in text
    assert spec_check.problems(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "label", "positive", "event_time"),
    [("train_flights.csv.gz", "late", "yes", "sched_dep"), ("train_penguins.csv", "Species", None, "date_egg")],
)
def test_other_samples_are_loaded_by_their_drafts(tmp_path, sample, label, positive, event_time):
    done = write_draft(SAMPLES / sample, "made", tmp_path)
    found = read_table(done.path)
    assert (found.label.column, found.label.positive, found.event_time) == (label, positive, event_time)
    assert (done.trial.rows_rejected, done.trial.rows_of_known_keys) == (0, 0)
    assert spec_check.problems(tmp_path) == []


def test_a_feature_table_has_no_label(tmp_path):
    done = write_draft(SAMPLES / "weather.csv.gz", "weather", tmp_path, is_table=True)
    found = read_table(done.path)
    assert found.keys == ("origin",)
    assert found.event_time == "observed_at"
    assert done.trial.rows_rejected == 0
    assert "ttl: null" in done.path.read_text(encoding="utf-8")


def test_a_german_file(tmp_path):
    lines = ["Kundennr;Bestellt am;Umsatz;Größe (cm);PLZ;Gekündigt"]
    for i in range(200):
        day = date(2024, 1, 1) + timedelta(days=i)
        lines.append(f"{i:06d};{day:%d.%m.%Y};1.{i:03d},5;{150 + i},5;{i % 90 + 1000:05d};{'ja' if i % 3 else 'nein'}")
    found, done, text = drafted(tmp_path, lines, encoding="cp1252")
    assert found.encoding == "cp1252"
    assert found.keys == ("Kundennr",)
    assert found.columns["Kundennr"].type == "text"  # its leading zeros would be lost
    assert found.columns["PLZ"].type == "text"
    assert found.columns["Umsatz"] == Column(type="number", decimal=",")
    assert found.columns["groesse_cm"] == Column(type="number", decimal=",", header="Größe (cm)")
    assert found.columns["bestellt_am"].format == "%d.%m.%Y"
    assert found.event_time == "bestellt_am"
    assert (found.label.column, found.label.positive) == ("gekuendigt", "nein")  # the rarer
    assert done.trial.rows_rejected == 0
    assert "is cp1252 is a guess" in text


def test_several_classes_long_ids_and_a_key_that_needs_the_time(tmp_path):
    lines = ["account_id,day,balance,risk class"]
    lines += [f"{10**18 + i // 2},2024-01-{1 + i % 2:02d},{RANDOM.randint(0, 999)},{'ABC'[i % 3]}" for i in range(120)]
    found, done, text = drafted(tmp_path, lines)
    assert found.columns["account_id"].type == "text"  # 19 digits
    assert (found.keys, found.event_time) == (("account_id",), "day")
    assert found.label.classes == ("A", "B", "C")
    assert found.columns["risk_class"].header == "risk class"
    assert "unique only together with day" in text
    assert done.trial.rows_of_known_keys == 0


def test_a_key_of_two_columns_and_a_constant(tmp_path):
    lines = ["store,week,sales,const,bad"]
    lines += [f"{s},{w},{RANDOM.random():.3f},x,{int(RANDOM.random() < 0.2)}" for s in range(20) for w in range(9)]
    found, _, _ = drafted(tmp_path, lines)
    assert found.keys == ("store", "week")
    assert found.ignore == ("const",)
    assert (found.label.column, found.label.positive) == ("bad", 1)


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
    done = write_draft(file, "made", tmp_path)
    found = read_table(done.path)
    assert found.missing == ("NA",)
    assert found.columns["n"].type == "integer"
    assert "injected" not in parse_yaml(done.path.read_text(encoding="utf-8"))
    assert done.trial.rows_rejected == 0


def test_rows_that_do_not_fit_are_listed_and_do_not_keep_the_file_from_loading(tmp_path):
    lines = ["id,age,y", *(f"{i},{20 + i % 50},{i % 2}" for i in range(100)), "100,old,1", *["1,2"] * 20]
    found, done, text = drafted(tmp_path, lines)
    assert done.trial.rows_rejected == 21
    assert any("old" in said for said in done.look_at)
    assert found.max_bad_rows == 0.18
    assert "mend it?" in text


def test_a_label_that_is_known_is_taken(tmp_path):
    lines = ["id,a,b,target", *(f"{i},{i % 2},{i % 3},{i % 2}" for i in range(60))]
    found, _, _ = drafted(tmp_path, lines, label="b")
    assert found.label.column == "b"
    with pytest.raises(ConfigurationError, match=r"--label 'c'.*such as: a, b, target"):
        drafted(tmp_path, lines, label="c", name="other")


def test_without_a_key_the_draft_says_so(tmp_path):
    lines = ["colour,size,weight,y", *(f"{'rgb'[i % 3]},{i % 5},{i % 9}.5,{i % 2}" for i in range(90))]
    found, done, _ = drafted(tmp_path, lines)
    assert any(said.startswith("NO KEY FOUND: 75 rows share theirs") for said in done.look_at)
    assert done.trial.rows_rejected == 75
    assert found.max_bad_rows >= 75 / 90, "the draft loads its own file"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["x,y", *(f"{i}.5,{i % 2}" for i in range(9))], "no column can be a key"),
        (["id,y", *(f"{i},{i}" for i in range(50))], "no column can be the label.*--table"),
        (["id,y"], "no rows follow"),
        (["id,id,y", "1,2,3"], "names a column twice"),
    ],
)
def test_a_file_that_cannot_become_a_data_set_says_why(tmp_path, lines, reason):
    with pytest.raises((ConfigurationError, ContractError), match=reason):
        drafted(tmp_path, lines)
    assert not (tmp_path / "made.yaml").exists()


def test_half_a_character_in_json_is_a_row_that_does_not_fit(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(f'{{"id": {i}, "town": "K\\u00f6ln {i % 3}", "y": {i % 2}}}' for i in range(50)))
    with file.open("a") as out:
        out.write('\n{"id": 50, "town": "\\ud800", "y": 1}\n')
    done = write_draft(file, "made", tmp_path)
    assert read_table(done.path).encoding is None
    assert (done.trial.rows_read, done.trial.rows_rejected) == (51, 1)


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        write_draft(SAMPLES / "train_penguins.csv", "made", tmp_path / "none")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(r"[-$0-9.,/: ]{1,12}")))
@settings(max_examples=200, deadline=None)
def test_any_texts_are_guessed_and_described_in_one_line(cells):
    found = guess("x", cells)
    assert found.rows == len(cells) == found.present + found.missing.total()
    assert len(found.evidence().splitlines()) == 1
    assert found.misfits.total() <= 0.02 * found.present
    assert parse_yaml(f"{{x: y}} # {found.evidence()}") == {"x": "y"}


@pytest.mark.parametrize("name", ["Churn", "1a", "a b", "../a", "train_x", "", "auto", "auto2", "au"])
def test_bad_and_taken_names_are_refused(tmp_path, name):
    there = tmp_path / "auto.yaml"
    there.write_text("mine")
    with pytest.raises(ConfigurationError, match=r"name|not overwritten"):
        write_draft(SAMPLES / "train_auto.csv", name, tmp_path)
    assert there.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2", ""], {"type": "integer"}),
        (["1.0", "2.0"], {"type": "integer"}),
        (["1", "2.5", "-"], {"type": "number", "missing": ("-",)}),
        (["1,5", "2,25"], {"type": "number", "decimal": ","}),
        (["$1,234", "$5"], {"type": "money"}),
        (["Yes", "no", "NO"], {"type": "boolean"}),
        (["0", "1"], {"type": "integer"}),
        (["2024-01-31T10:00:00Z"], {"type": "timestamp"}),
        (["31/01/2024 10:05", "01/02/2024 11:00"], {"type": "timestamp", "format": "%d/%m/%Y %H:%M"}),
        (["01/31/2024"], {"type": "timestamp", "format": "%m/%d/%Y"}),
        (["007", "12"], {"type": "category"}),
        (["red", "?", "blue"], {"type": "category", "missing": ("?",)}),
        (["red", "none"], {"type": "category"}),
        (["", ""], {"type": "category"}),
        ([f"word {i}" for i in range(50)], {"type": "text"}),
        (["a" * 100, "b"], {"type": "text"}),
    ],
)
def test_types_are_guessed_as_the_reader_reads_them(cells, expected):
    assert guess("x", cells).column == Column.model_validate(expected)


def test_dates_without_signs_are_told_by_their_header():
    assert guess("order_date", ["20240131", "20240201"]).column.format == "%Y%m%d"
    assert guess("amount", ["20240131", "20240201"]).column.type == "integer"


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["01/02/2024", "03/04/2024"], "may be swapped: %d/%m/%Y"),
        (["1,234", "5,678"], "thousands or decimals"),
        (["2024-01-01"], "UTC is assumed"),
        (["NA", "DE"], "none of the categories"),
    ],
)
def test_what_could_be_read_in_two_ways_is_said(cells, note):
    assert note in " ".join(guess("x", cells).notes)


def test_headers_become_names_that_a_column_can_have():
    headers = ["a", "A b", "a_b", "1st", "Größe", "event_timestamp", "x__y", "$", "%", "n" * 80]
    names = column_names(headers)
    assert list(names.values()) == [
        "a", "a_b", "a_b_2", "c_1st", "groesse", "c_event_timestamp", "x_y", "column", "column_2", "n" * 58,
    ]  # fmt: skip
    short = column_names(["n" * 30, "n" * 31, "n" * 32, "A nice name"], longest=20)
    assert list(short.values()) == ["n" * 16, f"{'n' * 16}_2", f"{'n' * 16}_3", "a_nice_name"]


def test_long_headers_and_a_long_name_make_a_right_draft(tmp_path):
    question = f"How satisfied are you, all in all, {'really, ' * 30}with the service?"
    header = f'id,{"a_long_name" * 5},"{question}",y'
    lines = [header, *(f"n{i},{RANDOM.random():.3f},{i % 5},{i % 2}" for i in range(60))]
    found, done, _ = drafted(tmp_path, lines, name="customer_churn_of_the_year_2024")
    assert spec_check.problems(tmp_path) == []
    assert (done.trial.rows_read, done.trial.rows_rejected) == (60, 0)
    assert question in [column.header for column in found.columns.values()]


def test_a_word_that_is_a_value_in_one_column_is_missing_only_in_others(tmp_path):
    lines = ["id,a,b,plan,y"]
    for i in range(120):
        a, b = ("unknown" if i % 9 == j else f"{RANDOM.random():.2f}" for j in (1, 2))
        lines.append(f"k{i},{a},{b},{('basic', 'gold', 'unknown', 'none')[i % 4]},{i % 2}")
    found, done, _ = drafted(tmp_path, lines)
    assert found.missing == ()
    assert found.columns["a"].missing == found.columns["b"].missing == ("unknown",)
    assert found.columns["plan"].missing == ()
    assert done.trial.rows_rejected == 0


def test_a_cross_here_and_there_is_no_constant(tmp_path):
    lines = ["id,flag,empty,y", *(f"k{i},{'X' if i % 3 else ''},,{i % 2}" for i in range(60))]
    found, _, _ = drafted(tmp_path, lines)
    assert "flag" in found.own_features
    assert found.ignore == ("empty",)


@pytest.mark.parametrize(
    "text", ["yes", "no", "true", "null", "~", "01", "1", "- a", "a: b", "a # b", "Ä", "😀", "[x", "\n"]
)
def test_texts_are_written_so_that_they_are_read_back(text):
    assert parse_yaml(f"[{scalar(text)}]") == [text]
