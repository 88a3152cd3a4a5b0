import pandas as pd
import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.holdout import HoldoutRule
from ml_platform.version_tags import read_classes, read_holdout, read_threshold, recorded

TWO, THREE = ("no", "yes"), ("Adelie", "Chinstrap", "Gentoo")
BY_ENTITY = HoldoutRule("shop", "entity", 0.2)
BY_TIME = HoldoutRule("shop", "time", 0.1, pd.Timestamp("2026-03-04T05:06:07.000000008Z"))


@pytest.mark.parametrize(("classes", "threshold"), [(TWO, 0.1 + 0.2), (THREE, None)])
@pytest.mark.parametrize("rule", [BY_ENTITY, BY_TIME])
def test_what_is_recorded_is_read_back(classes, threshold, rule):
    tags = recorded(classes, threshold, rule)
    assert (read_classes(tags), read_threshold(tags), read_holdout("shop", tags)) == (classes, threshold, rule)
    assert ("threshold" in tags) == (threshold is not None)


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
        read(recorded(TWO, 0.5, BY_TIME) | changed)
