"""The part of a card about groups: sentences first, then a table of groups and one of differences."""

from dataclasses import replace

from markdown_it import MarkdownIt

from ml_platform.training.card_groups import card_groups
from tests.ml_platform.training.test_group_reports import CLEAR, UNCLEAR, made


def test_without_sensitive_columns_it_says_how_to_ask_for_them():
    (line,) = card_groups("shop", ())
    assert (
        line == "None are asked for. `sensitive: [COLUMN]` in `datasets/shop.yaml` measures the next model by groups."
    )


def test_it_has_a_sentence_and_two_tables():
    lines = list(card_groups("shop", [made(CLEAR, UNCLEAR)]))
    assert lines[0] == "- By SEX, recall differs by 0.12 (0.05 to 0.19) between F (0.70) and M (0.58)."
    text = "\n".join(lines)
    assert "### SEX: no feature of the model" in text
    assert "| group | rows | recall | F1 |" in text
    assert "| F | 500 | 0.70 (0.50 to 0.90) | 0.70 (0.50 to 0.90) |" in text
    assert "| X | 3 | too few rows | too few rows |" in text
    assert "| recall | F and M | 0.12 (0.05 to 0.19) | yes | equalized odds difference |" in text
    assert "| F1 | F and M | 0.12 (-0.01 to 0.25) | no |  |" in text
    assert "F1: of both." in text
    assert MarkdownIt("commonmark").enable("table").render(text).count("<table>") == 2


def test_groups_that_are_not_shown_are_counted():
    text = "\n".join(card_groups("shop", [replace(made(), is_feature=True, other_groups=4, other_rows=1234)]))
    assert "### SEX: a feature of the model" in text
    assert "4 more groups, with 1,234 rows together, are not shown." in text


def test_values_of_the_data_are_only_text():
    hostile = "<b>*x* | [a](javascript:1) `c`"
    report = made()
    titles = {"recall": "recall", "f1": "predicted a|b"}
    report = replace(report, groups=(replace(report.groups[0], name=hostile),), titles=titles)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render("\n".join(card_groups("shop", [report])))
    assert "<th>predicted a|b</th>" in html
    assert "<td>&lt;b&gt;*x* | [a](javascript:1) `c`</td>" in html
