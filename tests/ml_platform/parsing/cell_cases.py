"""A helper of the tests of this package: one cell, converted in every way."""

from typing import Any

import pyarrow as pa

from ml_platform.parsing.conversion import CONVERTERS, FEW, convert
from ml_platform.specs.parts import Column


def convert_cell(kind: str, text: str, **options: Any) -> Any:
    """Return the value of a cell, or raise ValueError with the reason; few and many cells give the same."""
    column = Column(type=kind, **options)  # type: ignore[arg-type]
    values, reasons = convert(pa.array([text], pa.string()), column)
    many, why = convert(pa.array([text] * (FEW + 1), pa.string()), column)
    assert (many[FEW], why.get(FEW)) == (values[0], reasons.get(0))  # by Arrow as by Python
    assert values.type == CONVERTERS[kind].arrow_type  # type: ignore[index]
    if reasons:
        raise ValueError(reasons[0])
    return values[0].as_py()
