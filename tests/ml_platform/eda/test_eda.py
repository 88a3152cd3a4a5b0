from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ml_platform.eda import pictures as eda_charts
from ml_platform.eda.drift import STRONG, drift
from ml_platform.eda.page import Data, report, table_report

RANDOM = np.random.default_rng(0)
ATTACK = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
ROWS = 300


class Tags(HTMLParser):
    """Collects what a browser would run: scripts, and attributes that hold any."""

    def __init__(self):
        super().__init__()
        self.tags, self.handlers, self.frames = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.frames += [value for name, value in attrs if name == "srcdoc"]


def parsed(html):
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.fixture
def rows():
    label = RANDOM.integers(0, 2, ROWS)
    return pd.DataFrame(
        {
            "amount": label + RANDOM.random(ROWS),
            "town": RANDOM.choice(["Berlin", "Köln 😀 $5", ATTACK], ROWS),
            "empty": np.nan,
            ATTACK: RANDOM.random(ROWS),
            "seen": pd.Timestamp("2026-01-01", tz="UTC"),
            "churn": np.where(label == 1, "yes", ATTACK),
        }
    )


@pytest.fixture
def data(rows):
    return Data("churn", ATTACK, ATTACK, rows, ("amount", "town", "empty", ATTACK), "churn", rows.head(100), ATTACK)


@pytest.mark.slow
def test_the_page_has_all_parts_and_needs_nothing_else(data):
    html = report(data)
    for part in ("The label churn", "Features by label", "Drift: train and test", "All columns"):
        assert part in html
    assert "amount" in html.split("Suspected: ")[1][:100]
    assert html.count("data:image/png;base64,") >= 8
    assert "src='http" not in html.replace('"', "'")


@pytest.mark.slow
def test_what_comes_from_the_data_runs_nothing(data):
    page = parsed(report(data))
    assert "script" not in page.tags
    assert page.handlers == []
    assert len(page.frames) == 1


def test_the_table_report_in_its_frame_runs_only_its_own_scripts(data, rows):
    harmless = rows.replace(ATTACK, "harmless").rename(columns={ATTACK: "harmless"})
    frame, expected = parsed(table_report(data.rows)), parsed(table_report(harmless))
    assert frame.tags.count("script") == expected.tags.count("script")
    assert sorted(frame.handlers) == sorted(expected.handlers)


def test_a_feature_table_has_no_label_and_no_test_rows(rows):
    html = report(Data("weather", "By the hour", "loaded", rows, ("amount",)))
    assert "by label" not in html
    assert "Drift" not in html


def test_drift_is_found_in_numbers_categories_and_gaps():
    train = pd.DataFrame({"same": RANDOM.random(2000), "moved": RANDOM.random(2000), "gone": RANDOM.random(2000)})
    test = pd.DataFrame({"same": RANDOM.random(500), "moved": RANDOM.random(500) + 0.5, "gone": np.nan})
    train["town"], test["town"] = RANDOM.choice(["a", "b"], 2000), RANDOM.choice(["b", "c"], 500)
    found = drift(train, test)
    assert found["psi"]["same"] < 0.1
    assert (found["psi"][["moved", "gone", "town"]] > STRONG).all()
    assert found["p_value"]["moved"] < 0.001 < found["p_value"]["same"]
    assert found["test"].to_dict() == {"same": "KS", "moved": "KS", "gone": "KS", "town": "chi²"}
    assert found["missing_test"]["gone"] == 1.0


@pytest.mark.parametrize("values", [[np.nan] * 3, [1.0, 1.0, 1.0], [0.5, 1e300, -1e300], ["a", None, "b"], [None] * 3])
def test_any_column_is_drawn(values, tmp_path):
    column = pd.Series(values, dtype=object if None in values else None)
    drawn = [eda_charts.by_label("x", column, pd.Series(["a", "b", "a"])), eda_charts.overlaid("x", column, column)]
    for figure in drawn:
        figure.savefig(tmp_path / "x.png")
    assert drift(column.to_frame("x"), column.to_frame("x"))["psi"]["x"] == pytest.approx(0.0)


def test_many_classes_are_drawn_as_a_few_and_the_rest():
    labels = pd.Series([str(i % 30) for i in range(300)])
    assert eda_charts.classes_of(labels)[-1] == eda_charts.REST
    assert len(eda_charts.classes_of(labels)) == len(eda_charts.COLOURS)
