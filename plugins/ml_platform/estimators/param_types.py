"""Types of an estimator's parameters, which say what is allowed."""

from typing import Annotated, Any, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

Count = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]

_STRICT = ConfigDict(strict=True)


def check_params(estimator: Any) -> None:
    """Check the parameters of an estimator by the types of its fields.

    Args:
        estimator: a dataclass and a scikit-learn estimator.

    Raises:
        ValueError: a parameter is invalid; the text names the parameter, what is allowed, and its value.
    """
    kinds = get_type_hints(type(estimator), include_extras=True)
    for name, value in estimator.get_params().items():
        try:
            TypeAdapter(kinds[name], config=_STRICT).validate_python(value)
        except ValidationError as error:
            reasons = " or ".join(dict.fromkeys(part["msg"] for part in error.errors()))
            raise ValueError(
                f"The {name!r} parameter of {type(estimator).__name__}: {reasons}. Got {value!r}."
            ) from None
