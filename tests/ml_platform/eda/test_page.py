from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from ml_platform.eda.html_page import png
from ml_platform.eda.page import ReportData, _label_by_group, render_page, table_report

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
            "at": pd.Timestamp("2026-01-01", tz="UTC"),
            "churn": np.where(label == 1, "yes", ATTACK),
        }
    )


@pytest.fixture
def data(rows):
    return ReportData(
        "churn", ATTACK, ATTACK, rows, ("amount", "town", "empty", ATTACK), "churn", rows.head(100), ATTACK
    )


@pytest.mark.slow
def test_the_page_has_all_parts_and_loads_no_other_file(data):
    html = render_page(data)
    for part in ("The label churn", "Features by label", "Drift: train and test", "All columns"):
        assert part in html
    assert "amount" in html.split("Suspected leaks: ")[1][:100]
    assert html.count("data:image/png;base64,") >= 8
    assert "src='http" not in html.replace('"', "'")


def test_the_label_is_shown_by_group(rows):
    towns = pd.Series(pd.Categorical(rows["town"].where(rows["town"] != "Berlin", ATTACK)), name="town")
    lines = list(_label_by_group([towns], rows["churn"]))
    share = (rows["churn"][towns == ATTACK] == "yes").mean()
    (line,) = (line for line in lines if line.startswith("<tr><td>&lt;script&gt;"))
    assert f"<td>{(towns == ATTACK).sum()}</td>" in line
    assert f"<td>{share:.1%}</td>" in line
    assert "<script" not in "".join(lines)


@pytest.mark.slow
def test_texts_of_the_data_run_no_script(data):
    page = parsed(render_page(data))
    assert "script" not in page.tags
    assert page.handlers == []
    assert len(page.frames) == 1


def test_the_table_report_in_its_frame_runs_only_its_own_scripts(data, rows):
    harmless = rows.replace(ATTACK, "harmless").rename(columns={ATTACK: "harmless"})
    frame, expected = parsed(table_report(data.rows)), parsed(table_report(harmless))
    assert frame.tags.count("script") == expected.tags.count("script")
    assert sorted(frame.handlers) == sorted(expected.handlers)


def test_a_feature_table_has_no_label_and_no_test_rows(rows):
    html = render_page(ReportData("weather", "By the hour", "the database", rows, ("amount",)))
    assert "by label" not in html
    assert "Drift" not in html


def test_the_page_may_fetch_nothing_and_frames_the_table_report_in_a_sandbox(rows):
    html = render_page(ReportData("weather", "By the hour", "the database", rows[["amount"]], ("amount",)))
    assert 'http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;;' in html
    assert '<iframe sandbox="allow-scripts"' in html
    assert "allow-same-origin" not in html


def test_the_page_says_where_its_rows_come_from(rows):
    html = render_page(ReportData("weather", "By <hour>", "the file 'a&b.csv'", rows[["amount"]], ("amount",)))
    assert "<title>Data report: weather</title>" in html
    assert "<p>By &lt;hour&gt;</p><p>300 rows from the file &#x27;a&amp;b.csv&#x27;.</p>" in html


@pytest.mark.slow
def test_drift_is_marked_by_its_strength_and_compares_features_only(rows):
    test = rows.assign(amount=rows["amount"] + 5)
    html = render_page(ReportData("churn", "", "", rows, ("amount", "town"), "churn", test, "a test file"))
    assert "300 rows to score, from a test file." in html
    table = html.split("<h2>Drift: train and test</h2>")[1].split("</table>")[0]
    assert '<tr class="strong"><td>amount</td>' in table
    assert '<tr class="none"><td>town</td>' in table
    assert "<td>empty</td>" not in table


def test_a_column_that_is_no_feature_is_not_suspected(rows):
    rows = rows.assign(refund=np.where(rows["churn"] == "yes", 1.0, 0.0))
    html = render_page(ReportData("churn", "", "", rows[["town", "refund", "churn"]], ("town",), "churn"))
    assert "High too, but no features: refund." in html
    assert "No leak is suspected." in html


def test_the_shares_of_the_classes_ignore_rows_without_a_label():
    labels = [*["yes"] * 3, *["no"] * 9, None, None]
    frame = pd.DataFrame({"x": np.arange(14.0), "churn": labels})
    html = render_page(ReportData("churn", "", "", frame, ("x",), "churn"))
    assert "<h2>The label churn</h2><p>no 75.0%, yes 25.0%</p>" in html


def test_a_character_without_a_glyph_is_drawn_without_a_warning():
    figure = Figure()
    figure.suptitle("😀")
    assert png(figure).startswith(b"\x89PNG")
