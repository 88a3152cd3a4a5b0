"""The sample files are what the generator makes, look like the file that the profile describes, and are as hard."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

MINIO = Path(__file__).resolve().parents[2] / "minio"
SAMPLES = MINIO / "samples"
PROFILE = json.loads((SAMPLES / "auto_profile.json").read_text(encoding="utf-8"))
NUMBERS, CATEGORIES = list(PROFILE["numeric"]), list(PROFILE["categories"])
PARTS = ("train", "test")
BOM = b"\xef\xbb\xbf"

# How far the sample may be from the profile. A quantile or a mean counts in standard deviations of its column.
MEAN, MEAN_BY_CLAIM, QUANTILE, ZEROS = 0.05, 0.12, 0.15, 0.01
SHARE, SPEARMAN = 0.01, 0.06
RATE, RATE_ERRORS = 0.025, 3  # a rate of claims: this much, and so many of its standard errors more
POSITIVE_RATE, F1, AUC = 0.002, 0.02, 0.012


def generate(seed: int | None, out: Path) -> Path:
    """Run the generator as people do."""
    seeded = [] if seed is None else ["--seed", str(seed)]
    subprocess.run([sys.executable, MINIO / "generate_samples.py", "--out", out, *seeded], check=True)
    return out


def read(path: Path) -> pd.DataFrame:
    """Read the cells as they stand: texts, empty where nothing is known."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def tidy(cells: pd.DataFrame) -> pd.DataFrame:
    """Turn the texts of numbers and money into numbers."""
    numbers = cells.drop(columns=CATEGORIES).replace({r"[$,]": ""}, regex=True)
    return pd.concat([numbers.apply(pd.to_numeric), cells[CATEGORIES]], axis=1)


@pytest.fixture(scope="module")
def cells() -> dict[str, pd.DataFrame]:
    return {part: read(SAMPLES / f"{part}_auto.csv") for part in PARTS}


@pytest.fixture(scope="module")
def train(cells: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return tidy(cells["train"])


@pytest.fixture(scope="module")
def other_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(7, tmp_path_factory.mktemp("seed7"))


# The bytes


@pytest.mark.slow
def test_the_committed_files_are_what_the_generator_makes(tmp_path: Path) -> None:
    generate(None, tmp_path)
    for part in PARTS:
        assert (tmp_path / f"{part}_auto.csv").read_bytes() == (SAMPLES / f"{part}_auto.csv").read_bytes()


@pytest.mark.slow
def test_another_seed_makes_other_files(other_seed: Path) -> None:
    assert (other_seed / "train_auto.csv").read_bytes() != (SAMPLES / "train_auto.csv").read_bytes()


@pytest.mark.parametrize("part", PARTS)
def test_bytes_are_utf8_with_bom_and_bare_line_feeds(part: str) -> None:
    content = (SAMPLES / f"{part}_auto.csv").read_bytes()
    assert content.startswith(BOM)
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.endswith(b"\n\n")


@pytest.mark.parametrize("part", PARTS)
def test_only_cells_with_a_comma_are_quoted(part: str) -> None:
    text = (SAMPLES / f"{part}_auto.csv").read_text(encoding="utf-8-sig")
    assert all(re.fullmatch(r"\$\d{1,3}(,\d{3})+", cell) for cell in re.findall(r'"([^"]*)"', text))
    again = io.StringIO()
    csv.writer(again, lineterminator="\n").writerows(csv.reader(io.StringIO(text)))
    assert again.getvalue() == text


# The cells


@pytest.mark.parametrize("part", PARTS)
def test_columns_and_row_counts(part: str, cells: dict[str, pd.DataFrame]) -> None:
    assert list(cells[part].columns) == PROFILE["columns"]
    assert len(cells[part]) == PROFILE["rows"][part]


def test_index_ascends_and_covers_every_number_once(cells: dict[str, pd.DataFrame]) -> None:
    train, test = (cells[part]["INDEX"].astype(int) for part in PARTS)
    assert train.is_monotonic_increasing
    assert test.is_monotonic_increasing
    assert sorted([*train, *test]) == list(range(1, 10_303))


def test_targets_are_known_in_train_and_empty_in_test(cells: dict[str, pd.DataFrame]) -> None:
    targets = ["TARGET_FLAG", "TARGET_AMT"]
    assert cells["train"]["TARGET_FLAG"].isin(["0", "1"]).all()
    assert (cells["train"]["TARGET_AMT"] != "").all()
    assert (cells["test"][targets] == "").all(axis=None)


@pytest.mark.parametrize("part", PARTS)
def test_cells_are_spelled_as_in_such_files(part: str, cells: dict[str, pd.DataFrame]) -> None:
    money = dict.fromkeys(("INCOME", "HOME_VAL", "BLUEBOOK", "OLDCLAIM"), r"(\$(0|[1-9]\d{0,2}(,\d{3})*))?")
    patterns = dict.fromkeys(NUMBERS, r"(-?\d+)?") | money
    patterns |= {name: "|".join(map(re.escape, values)) for name, values in PROFILE["categories"].items()}
    for name, pattern in patterns.items():
        assert cells[part][name].str.fullmatch(pattern).all(), name


def test_amounts_come_in_mixed_precision(cells: dict[str, pd.DataFrame]) -> None:
    amounts = cells["train"].loc[cells["train"]["TARGET_FLAG"] == "1", "TARGET_AMT"]
    assert amounts.str.fullmatch(r"\d+(\.\d+)?").all()
    assert amounts.str.replace(".", "").str.lstrip("0").str.len().max() == 10
    whole = amounts.str.fullmatch(r"\d+(\.0)?").mean()
    assert whole == pytest.approx(PROFILE["amounts_in_whole_dollars"], abs=0.02)
    assert 0 < amounts.str.endswith(".0").mean() < 0.06
    assert (cells["train"].loc[cells["train"]["TARGET_FLAG"] == "0", "TARGET_AMT"] == "0").all()


@pytest.mark.parametrize("part", PARTS)
def test_as_many_cells_are_empty_as_the_profile_says(part: str, cells: dict[str, pd.DataFrame]) -> None:
    empty = (cells[part][NUMBERS] == "").sum()
    expected = {name: PROFILE["missing"].get(name, {part: 0})[part] for name in NUMBERS}
    assert empty.to_dict() == expected


def test_floors_and_the_impossible_car(train: pd.DataFrame) -> None:
    assert (train["CAR_AGE"] == -3).sum() == 1
    assert (train["CAR_AGE"] == 0).sum() == 3
    assert (train["BLUEBOOK"] == 1500).sum() == pytest.approx(157, abs=40)
    assert (train["TRAVTIME"] == 5).mean() == pytest.approx(0.041, abs=0.01)
    assert train["AGE"].dropna().between(16, 81).all()


# What is always true


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "another seed"])
def test_hard_constraints(part: str, committed: bool, other_seed: Path) -> None:
    frame = tidy(read((SAMPLES if committed else other_seed) / f"{part}_auto.csv"))
    assert ((frame["CLM_FREQ"] > 0) == (frame["OLDCLAIM"] > 0)).all()
    alone = (frame["MSTATUS"] == "z_No") & (frame["HOMEKIDS"] > 0)
    assert ((frame["PARENT1"] == "Yes") == alone).all()
    assert (frame.loc[frame["CAR_TYPE"] == "Panel Truck", "CAR_USE"] == "Commercial").all()
    assert (frame.loc[frame["JOB"].isin(["Doctor", "Lawyer"]), "CAR_USE"] == "Private").all()
    assert frame.loc[frame["JOB"] == "", "EDUCATION"].isin(["Masters", "PhD"]).all()
    assert (frame["BLUEBOOK"] % 10 == 0).all()
    assert frame["BLUEBOOK"].min() >= 1500


def test_an_amount_stands_with_every_claim_and_only_there(train: pd.DataFrame) -> None:
    assert ((train["TARGET_AMT"] > 0) == (train["TARGET_FLAG"] == 1)).all()


def test_the_two_rules_with_exceptions(train: pd.DataFrame) -> None:
    assert 0.001 < (train["KIDSDRIV"] > train["HOMEKIDS"]).mean() < 0.006
    both = train[["INCOME", "YOJ"]].dropna()
    assert ((both["INCOME"] == 0) != (both["YOJ"] == 0)).mean() < 0.002


# Likeness

Comparison = tuple[str, float, float, float]


def compare(frame: pd.DataFrame) -> Iterator[Comparison]:
    """Yield what is compared, the sample's number, the profile's, and how far apart they may be."""
    yield "positive rate", frame["TARGET_FLAG"].mean(), PROFILE["positive_rate"], POSITIVE_RATE
    for name in NUMBERS:
        yield from compare_number(frame[name], frame["TARGET_FLAG"], PROFILE["numeric"][name])
    for name in CATEGORIES:
        yield from compare_category(frame[name], frame["TARGET_FLAG"], PROFILE["categories"][name])
    yield from compare_bands(frame)
    ranked = frame[[*NUMBERS, "TARGET_FLAG"]].corr(method="spearman")
    for one, row in PROFILE["spearman"].items():
        for other, expected in row.items():
            yield f"rank correlation of {one} and {other}", ranked.loc[one, other], expected, SPEARMAN


def compare_number(column: pd.Series, claims: pd.Series, expected: dict) -> Iterator[Comparison]:
    sd = expected["sd"]
    yield f"mean of {column.name}", column.mean(), expected["mean"], MEAN * sd
    yield f"sd of {column.name}", column.std(), sd, 0.05 * sd
    yield f"zeros of {column.name}", (column.dropna() == 0).mean(), expected["zeros"], ZEROS
    yield f"{column.name} with a claim", column[claims == 1].mean(), expected["mean_if_claim"], MEAN_BY_CLAIM * sd
    yield f"{column.name} without a claim", column[claims == 0].mean(), expected["mean_if_none"], MEAN_BY_CLAIM * sd
    for level in ("0.05", "0.25", "0.5", "0.75", "0.95"):
        tolerance = max(1, QUANTILE * sd)
        yield f"{level} of {column.name}", column.quantile(float(level)), expected["quantiles"][level], tolerance


def compare_category(column: pd.Series, claims: pd.Series, expected: dict) -> Iterator[Comparison]:
    for value, numbers in expected.items():
        members = column == value
        yield f"share of {column.name}={value}", members.mean(), numbers["share"], SHARE
        yield compare_rate(f"claims at {column.name}={value}", claims[members], numbers["target_rate"])


def compare_bands(frame: pd.DataFrame) -> Iterator[Comparison]:
    ages = pd.cut(frame["AGE"], [0, 25, 30, 35, 40, 45, 50, 55, 60, 100], right=False).astype(str).str.replace(" ", "")
    points = frame["MVR_PTS"].clip(upper=8).astype(str)
    past = np.where(frame["CLM_FREQ"] > 0, "1+", "0")
    for name, bands in (("AGE", ages), ("MVR_PTS", points), ("CLM_FREQ", past)):
        for band, expected in PROFILE["target_rate_by_band"][name].items():
            yield compare_rate(f"claims at {name} {band}", frame["TARGET_FLAG"][bands == band], expected)


def compare_rate(what: str, claims: pd.Series, expected: float) -> Comparison:
    standard_error = np.sqrt(expected * (1 - expected) / len(claims))
    return what, claims.mean(), expected, RATE + RATE_ERRORS * standard_error


def unlike(frame: pd.DataFrame) -> list[str]:
    """Name every comparison that fails."""
    return [f"{what}: {got:.4g}, not {want:.4g}" for what, got, want, far in compare(frame) if abs(got - want) > far]


def test_the_sample_looks_like_the_profile(train: pd.DataFrame) -> None:
    assert unlike(train) == []


@pytest.mark.parametrize("table", ["EDUCATION|URBANICITY", "RED_CAR|SEX", "CAR_USE|JOB,SEX", "CAR_TYPE|SEX,CAR_USE"])
def test_categories_depend_on_each_other_as_the_tables_say(table: str, train: pd.DataFrame) -> None:
    name, given = table.split("|")
    clean = train[CATEGORIES].replace(r"^z_", "", regex=True).replace({"JOB": {"": "Unknown"}})
    groups = clean[given.split(",")].agg("|".join, axis=1)
    for group, shares in PROFILE["tables"][table].items():
        members = clean.loc[groups == group, name]
        for value, share in shares.items():
            assert (members == value).mean() == pytest.approx(share, abs=4 * np.sqrt(0.25 / len(members))), (
                group,
                value,
            )


@pytest.mark.parametrize("name", ["MSTATUS", "CAR_USE", "INCOME", "TIF", "MVR_PTS"])
def test_the_comparison_notices_a_column_that_tells_nothing(name: str, train: pd.DataFrame) -> None:
    shuffled = train[name].sample(frac=1, random_state=0).to_numpy()
    assert any(name in difference for difference in unlike(train.assign(**{name: shuffled})))


def test_the_comparison_notices_a_shifted_column(train: pd.DataFrame) -> None:
    assert "mean of AGE" in " ".join(unlike(train.assign(AGE=train["AGE"] + 1)))


# Difficulty


def model(classifier: LogisticRegression | HistGradientBoostingClassifier, *more: str) -> Pipeline:
    """Build the features of the profile's protocol, and `more` columns of numbers, under a classifier."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(make_column_transformer((numbers, [*NUMBERS, *more]), (categories, CATEGORIES)), classifier)


def score(frame: pd.DataFrame, pipeline: Pipeline) -> tuple[float, float]:
    """Return F1 at threshold .5 and the area under the ROC curve, both the mean of five folds."""
    folds = StratifiedKFold(5, shuffle=True, random_state=42)
    with threadpool_limits(1):  # boosting with a thread per core crawls when the cores are busy
        scores = cross_validate(pipeline, frame, frame["TARGET_FLAG"], cv=folds, scoring=["f1", "roc_auc"])
    return scores["test_f1"].mean(), scores["test_roc_auc"].mean()


@pytest.fixture(scope="module")
def scores(train: pd.DataFrame) -> dict[str, tuple[float, float]]:
    boosted = HistGradientBoostingClassifier(learning_rate=0.05, class_weight="balanced", random_state=42)
    models = {
        "logreg": model(LogisticRegression(solver="newton-cholesky")),
        "logreg_balanced": model(LogisticRegression(solver="newton-cholesky", class_weight="balanced")),
        "hgb_lr05_balanced": model(boosted),
    }
    return {name: score(train, pipeline) for name, pipeline in models.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logreg", "logreg_balanced", "hgb_lr05_balanced"])
def test_models_get_as_far_as_on_the_original(name: str, scores: dict[str, tuple[float, float]]) -> None:
    expected = PROFILE["achievable"]["models"][name]
    f1, auc = scores[name]
    assert f1 == pytest.approx(expected["f1_mean"], abs=F1)
    assert auc == pytest.approx(expected["auc_mean"], abs=AUC)


@pytest.mark.slow
def test_weights_matter_more_than_the_kind_of_model(scores: dict[str, tuple[float, float]]) -> None:
    plain, balanced, boosted = (scores[name][0] for name in ("logreg", "logreg_balanced", "hgb_lr05_balanced"))
    assert balanced - plain > 0.05
    assert 0.01 < boosted - balanced < 0.05


def test_the_amount_gives_the_claim_away(train: pd.DataFrame) -> None:
    leaking = HistGradientBoostingClassifier(max_iter=20, random_state=42)
    assert score(train, model(leaking, "TARGET_AMT"))[0] > 0.999
