import numpy as np
import pandas as pd
import pytest

from ml_platform.eda import pictures
from ml_platform.eda.html_page import png
from ml_platform.training.leakage import LEAK_SCORE

LABELS = pd.Series(["yes", "no"] * 50)
NUMBERS = pd.Series(np.arange(100.0))


def texts_of(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def legend_of(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize("values", [[np.nan] * 3, [1.0, 1.0, 1.0], [0.5, 1e300, -1e300], ["a", None, "b"], [None] * 3])
def test_any_column_is_drawn(values):
    column = pd.Series(values, dtype=object if None in values else None)
    for figure in (pictures.by_label("x", column, pd.Series(["a", "b", "a"])), pictures.overlay("x", column, column)):
        assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("town", "town"),
        (7, "7"),
        ("$5 to $9", r"\$5 to \$9"),
        ("a\nb\x00", "a�b�"),
        ("x" * 33, "x" * 31 + "…"),
    ],
)
def test_a_plain_text_is_short_printable_and_no_formula(value, expected):
    assert pictures.plain(value) == expected


def test_many_classes_are_drawn_as_a_few_and_the_rest():
    labels = pd.Series([str(i % 30) for i in range(300)])
    classes = pictures.classes_of(labels)
    assert classes[-1] == pictures.REST
    assert len(classes) == len(pictures.COLOURS)


def test_classes_are_ordered_by_frequency():
    assert pictures.classes_of(pd.Series(["b", "a", "b"])) == ["b", "a"]
    assert pictures.classes_of(pd.Series([1, 0, 0])) == ["0", "1"]


def test_numbers_are_drawn_as_a_distribution_per_class():
    figure = pictures.by_label("amount", NUMBERS, LABELS)
    assert figure.axes[0].get_title(loc="left") == "amount"
    assert sorted(legend_of(figure)) == ["no", "yes"]
    assert len(figure.axes[0].containers) == 2


def test_bins_of_integers_cover_the_same_number_of_integers():
    figure = pictures.by_label("children", pd.Series([0.0, 1.0, 2.0, 3.0] * 25), LABELS)
    bars = figure.axes[0].containers[0]
    assert {bar.get_width() for bar in bars} == {1.0}
    assert bars[0].get_x() == -0.5


def test_outliers_do_not_stretch_the_axis():
    values = pd.Series([*np.linspace(0, 1, 199), 1e9])
    figure = pictures.by_label("x", values, pd.Series(["a", "b"] * 100))
    assert max(bar.get_x() for bar in figure.axes[0].containers[0]) < 2


def test_categories_are_drawn_as_shares_of_the_classes():
    towns = pd.Series(["Bonn", "Bonn", "Köln", "Köln"])
    figure = pictures.by_label("town", towns, pd.Series(["yes", "no", "yes", "yes"]))
    axes = figure.axes[0]
    assert texts_of(axes.yaxis) == ["Köln", "Bonn"]
    widths = {container.get_label(): [bar.get_width() for bar in container] for container in axes.containers}
    assert widths == {"yes": [1.0, 0.5], "no": [0.0, 0.5]}


def test_missing_categories_are_a_row_and_rare_ones_are_left_out():
    towns = pd.Series([None, None, *(f"t{i}" for i in range(30) for _ in range(2))], dtype=object)
    rows = texts_of(pictures.by_label("town", towns, pd.Series(["a", "b"] * 31)).axes[0].yaxis)
    assert "(missing)" in rows
    assert len(rows) == 12


def test_label_scores_mark_the_suspected_leaks():
    figure = pictures.label_scores({"leak": LEAK_SCORE, "good": 0.4, "worse": -0.1})
    axes = figure.axes[0]
    assert texts_of(axes.yaxis) == ["worse", "good", "leak"]
    assert [bar.get_width() for bar in axes.patches] == [0.0, 0.4, LEAK_SCORE]
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[0] == colours[1] != colours[2]


def test_only_the_best_twenty_scores_are_drawn():
    figure = pictures.label_scores({f"x{i}": 1 - i / 50 for i in range(30)})
    rows = texts_of(figure.axes[0].yaxis)
    assert (len(rows), rows[-1], rows[0]) == (20, "x0", "x19")


def test_train_and_test_are_drawn_over_each_other():
    assert sorted(legend_of(pictures.overlay("x", NUMBERS, NUMBERS + 5))) == ["test", "train"]
    figure = pictures.overlay("town", pd.Series(["a", "a", "b"]), pd.Series(["a", "c", "c", "c"]))
    axes = figure.axes[0]
    assert texts_of(axes.yaxis) == ["(others)", "b", "a"]
    train, test = ([bar.get_width() for bar in container] for container in axes.containers)
    assert train == pytest.approx([0, 1 / 3, 2 / 3])
    assert test == pytest.approx([0.75, 0, 0.25])
