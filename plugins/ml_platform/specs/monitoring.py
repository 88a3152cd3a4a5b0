"""How a live model is monitored: the option `monitor` of a data set."""

from typing import Literal

from pydantic import Field

from ml_platform.specs.parts import Duration, SpecModel


class Monitor(SpecModel):
    """When scored rows are compared with the training, with which rows of it, and what follows from drift."""

    every: Duration = Field(default="2w", description="time between two checks, such as 1d, 2w")
    rows: int = Field(
        default=200, ge=50, description="a check waits for so many rows; a scored file of so many starts one"
    )
    season: Duration | None = Field(
        default=None,
        description="such as 52w: compare with training rows of the same time of earlier seasons; needs an event_time",
    )
    on_drift: Literal["report", "retrain", "retrain_with_approval"] = Field(
        default="report",
        description="report: each load of rows starts a training, and drift is only reported. retrain: drift, or a "
        "performance below the promise, starts a training, and a load starts only the first one. "
        "retrain_with_approval: the same, and a person is asked before the new version goes live",
    )
    cool_down: Duration = Field(default="1w", description="least time between two retrainings, such as 12h, 1w")
    max_retrainings: int = Field(default=4, ge=1, description="most retrainings in 30 days")

    @property
    def retrains(self) -> bool:
        """Whether the checks start trainings, instead of each load."""
        return self.on_drift != "report"
