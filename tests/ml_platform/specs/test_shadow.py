"""The option `shadow` of a data set."""

import pytest
from pydantic import ValidationError

from ml_platform.specs.catalog import dataset
from ml_platform.specs.shadow import Shadow
from ml_platform.specs.spec import Dataset
from tests.ml_platform.keyless import without_key
from tests.ml_platform.training.trainings import make_dataset


def with_shadow(spec: Dataset, **options: object) -> Dataset:
    return Dataset.model_validate(spec.model_dump(exclude={"tables"}) | {"shadow": options})


def test_without_the_option_no_challenger_is_tried_in_shadow() -> None:
    assert make_dataset().shadow is None
    assert with_shadow(make_dataset()).shadow == Shadow(rows=1000, within="14d")
    assert with_shadow(make_dataset()).sha256 == make_dataset().sha256


@pytest.mark.parametrize(
    ("spec", "options", "says"),
    [
        (make_dataset(), {"rows": 10}, "greater than or equal to 50"),
        (make_dataset(), {"within": "later"}, "String should match pattern"),
        (without_key(dataset("auto")), {}, "without `entity.key` the truth about a scored row cannot be found"),
    ],
)
def test_a_mistake_in_the_option_is_named(spec: Dataset, options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        with_shadow(spec, **options)
