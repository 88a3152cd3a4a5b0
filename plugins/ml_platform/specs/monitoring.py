"""How a live model is monitored: the option `monitor` of a data set."""

from pydantic import Field

from ml_platform.specs.parts import Duration, SpecModel


class Monitor(SpecModel):
    """When scored rows are compared with the training, and with which rows of it."""

    every: Duration = Field(default="2w", description="time between two checks, such as 1d, 2w")
    rows: int = Field(
        default=200, ge=50, description="a check waits for so many rows; a scored file of so many starts one"
    )
    season: Duration | None = Field(
        default=None,
        description="such as 52w: compare with training rows of the same time of earlier seasons; needs an event_time",
    )
