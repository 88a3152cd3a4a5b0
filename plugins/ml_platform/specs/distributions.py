"""The values of one parameter in a search: a list, or the distribution from which they are drawn."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

LIST, DISTRIBUTION = "(list)", "(distribution)"  # in the place of an error; no field has parentheses in its name


def _check_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"not a number such as 3 or 0.01: {value!r}")
    return value


Bound = Annotated[int | float, BeforeValidator(_check_number, json_schema_input_type=float)]


class Distribution(BaseModel):
    """The numbers from which a search draws the values of one parameter; the bounds belong to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Bound = Field(description="the least; both bounds whole: whole numbers, unless the parameter is a fraction")
    high: Bound = Field(description="the greatest")
    log: bool = Field(default=False, description="draw the logarithm evenly: 0.01 to 0.1 as often as 0.1 to 1")

    @model_validator(mode="after")
    def _bounds_fit(self) -> "Distribution":
        if self.low >= self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}; for a single value give a list")
        if self.log and self.low <= 0:
            raise ValueError(f"with log, low must be above 0; it is {self.low}")
        return self

    def __str__(self) -> str:
        """Return the distribution as the YAML writes it."""
        return f"{{low: {self.low}, high: {self.high}{', log: true' if self.log else ''}}}"


def _kind_of(choice: object) -> str:
    return DISTRIBUTION if isinstance(choice, dict | Distribution) else LIST


Choice = Annotated[
    Annotated[list[Any], Tag(LIST)] | Annotated[Distribution, Tag(DISTRIBUTION)], Discriminator(_kind_of)
]
Parameters = dict[str, Choice]


def check_lists(place: str, parameters: Parameters) -> None:
    """Check that every parameter has a list of values, as a grid needs it.

    Raises:
        ValueError: one has a distribution; the text names it, with its place before it.
    """
    distributions = ((name, choice) for name, choice in parameters.items() if isinstance(choice, Distribution))
    for name, choice in distributions:
        raise ValueError(
            f"{place}.{name}: {choice} is a distribution, and a grid takes lists of values; give a list such as "
            f"[{choice.low}, {choice.high}], or `strategy: tpe`"
        )
