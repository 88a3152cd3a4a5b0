import numpy as np
import pandas as pd
import pytest

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from ml_platform.exceptions import RegistryError
from ml_platform.registry.version_tags import (
    check,
    description,
    read_classes,
    read_holdout,
    read_threshold,
    required_tags,
)
from ml_platform.specs.holdout import HoldoutRule
from tests.ml_platform.training.trainings import make_dataset, make_weeks

TWO, THREE = ("no", "yes"), ("Adelie", "Chinstrap", "Gentoo")
BY_ENTITY = HoldoutRule("shop", "entity", 0.2)
BY_TIME = HoldoutRule("shop", "time", 0.1, pd.Timestamp("2026-03-04T05:06:07.000000008Z"))


@pytest.mark.parametrize("task", [Binary(TWO, 0.1 + 0.2), Multiclass(THREE), Regression(0.9, Interval(-1.5, 2, 0.9))])
@pytest.mark.parametrize("rule", [BY_ENTITY, BY_TIME])
def test_what_is_recorded_is_read_back(task, rule):
    tags = required_tags(task, rule)
    assert (read_classes(tags), read_holdout("shop", tags)) == (task.classes, rule)
    assert read_threshold(tags) == task.facts().get("threshold")
    assert (
        set(tags)
        >= {"Binary": {"classes", "threshold"}, "Multiclass": {"classes"}, "Regression": {"interval"}}[
            type(task).__name__
        ]
    )


TAGS = {
    "candidate": "hist_gradient_boosting max_leaf_nodes=3", "holdout_metrics": '{"roc_auc": 0.8, "f1": 0.61237}',
    "holdout_intervals": '{"f1": [0.58, 0.641234]}', "model_card": "experiments/1/runs/2/artifacts/a.html",
}  # fmt: skip


def test_a_description_says_what_the_version_is_and_links_to_its_card_at_every_address():
    assert description(TAGS) == (
        "hist\\_gradient\\_boosting max\\_leaf\\_nodes=3: F1 0.6124 (90% interval 0.58 to 0.6412) on its hold-out."
        "\n\n[Model card](#/experiments/1/runs/2/artifacts/a.html)"
    )


def test_a_description_has_the_decision_and_shows_a_reason_as_it_was_written():
    decided = TAGS | {"decision": "kept", "decision_reason": "rejected by ann ([click](http://evil.example))"}
    shown = r"It did not go live: rejected by ann \(\[click\]\(http://evil.example\)\)."
    assert description(decided).split("\n\n")[1] == shown
    assert "It went live: " in description(decided | {"decision": "promoted"})


def test_a_description_leaves_out_what_is_not_recorded():
    assert description({}) == ""  # of a version from before there were cards
    assert description({"candidate": "mean", "holdout_metrics": '{"r2": 0.5, "mae": 2.5}'}) == (
        "mean: mean absolute error 2.5 on its hold-out."
    )


@pytest.mark.parametrize(
    ("read", "changed"),
    [
        (read_threshold, {"threshold": "nan"}),
        (read_threshold, {"threshold": "1.5"}),
        (read_threshold, {"threshold": ""}),
        (read_classes, {"classes": ""}),
        (read_classes, {"classes": '"no"'}),
        (read_classes, {"classes": '["no"]'}),
        (read_classes, {"classes": "[0, 1]"}),
        (lambda tags: read_holdout("shop", tags), {"holdout_share": "all"}),
        (lambda tags: read_holdout("shop", tags), {"holdout_by": "luck"}),
        (lambda tags: read_holdout("shop", tags), {"holdout_from": ""}),
        (lambda tags: read_holdout("shop", tags), {"holdout_from": "NaT"}),
        (lambda tags: read_holdout("shop", tags), {"holdout_from": "soon"}),
        (lambda tags: read_holdout("shop", tags), {"holdout_from": "2026-03-04T05:06:07"}),
    ],
)
def test_tags_that_were_spoiled_are_refused(read, changed):
    (tag,) = changed
    with pytest.raises(RegistryError, match=f"the tag '{tag}', set at training, is"):
        read(required_tags(Binary(TWO, 0.5), BY_TIME) | changed)


SHOP = Binary(("0", "1"), 0.3)
WEEKS = Multiclass(("poor", "fair", "good"))
OF_SHOP = required_tags(SHOP, BY_ENTITY)
OF_WEEKS = required_tags(WEEKS, HoldoutRule("weeks", "time", 0.2, BY_TIME.start))


def test_tags_as_they_were_recorded_are_what_the_files_say():
    check(OF_SHOP, make_dataset(), Binary(("0", "1"), float(np.float64(0.3))))
    check(OF_WEEKS, make_weeks(), WEEKS)


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({"threshold": "0.30000000000000004"}, "0.3"),
        ({"classes": '["1", "0"]'}, "a list that ends with '1'"),
        ({"holdout_share": "0.9"}, "0.2"),
        ({"holdout_by": "time", "holdout_from": "2026-01-01T00:00:00Z"}, "entity"),
    ],
)
def test_tags_that_were_edited_are_refused(changed, allowed):
    tag, text = next(iter(changed.items()))
    with pytest.raises(RegistryError) as error:
        check(OF_SHOP | changed, make_dataset(), SHOP)
    expected = f"the tag {tag!r}, set at training, is {text!r} and not {allowed}, as the model's files say"
    assert str(error.value) == expected


def test_classes_in_another_order_are_refused():
    with pytest.raises(RegistryError, match="not a list that ends with 'poor', 'fair', 'good', as the model's files"):
        check(OF_WEEKS | {"classes": '["good", "fair", "poor"]'}, make_weeks(), None)
