"""The sensitive columns of a spec: a model is judged by groups of their values."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from ml_platform.specs.parts import NUMERIC_TYPES, Column, ColumnName, Limit, SpecModel


def _check_ascending(cuts: tuple[float, ...] | None) -> tuple[float, ...] | None:
    if cuts and any(low >= high for low, high in pairwise(cuts)):
        raise ValueError(f"must be ascending, each once: {', '.join(f'{cut:g}' for cut in cuts)}")
    return cuts


class Sensitive(SpecModel):
    """A column by whose values a model is judged; it is no feature, unless the spec says so."""

    column: ColumnName
    feature: bool = Field(default=False, description="the model sees it, too")
    cuts: Annotated[tuple[Limit, ...] | None, Field(min_length=1), AfterValidator(_check_ascending)] = Field(
        default=None,
        description="numbers: where the second and each further group begins; default: quartiles of the training rows",
    )


def sensitive_from_name(value: object) -> object:
    """Return the sensitive column that a bare name stands for; other values stay as they are."""
    return {"column": value} if isinstance(value, str) else value


def check_sensitive(
    sensitive: Sequence[Sensitive], columns: Mapping[str, Column], others: Mapping[str, str], types: tuple[str, ...]
) -> None:
    """Check the sensitive columns of a data set.

    Args:
        sensitive: the columns that the spec names.
        columns: of the data set.
        others: columns that cannot be sensitive, and what each is.
        types: that a sensitive column may have.

    Raises:
        ValueError: one cannot be sensitive; the text names field, value and what is allowed.
    """
    named: set[str] = set()
    for i, one in enumerate(sensitive):
        if problem := _problem(one, columns, others, types, named):
            raise ValueError(f"sensitive.{i} names {one.column!r}, {problem}")
        named.add(one.column)


def _problem(
    one: Sensitive, columns: Mapping[str, Column], others: Mapping[str, str], types: tuple[str, ...], named: set[str]
) -> str:
    if "__" in one.column:
        return "a column of another table; allowed are columns of this data set: put it into the training files, too"
    if one.column not in columns:
        return "which `columns` does not list"
    if one.column in named:
        return "which is named already"
    if one.column in others:
        return f"which is {others[one.column]}; allowed are columns that could be features"
    kind = columns[one.column].type
    if kind not in types:
        return f"which is of type {kind}; allowed are {', '.join(types)}"
    if one.cuts and kind not in NUMERIC_TYPES:
        return f"which is of type {kind}; `cuts` is for {', '.join(NUMERIC_TYPES)}"
    return ""
