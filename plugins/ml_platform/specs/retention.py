"""How long things are kept. Nothing of the user's data is removed unless a YAML file says so."""

from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from ml_platform.specs.parts import DURATION, SpecModel, check_duration, timedelta_of

Store = Literal["processed", "rejected", "results", "predictions", "candidates"]
STORES: tuple[Store, ...] = get_args(Store)
FOREVER = "forever"
LEAST_FOR_RECORDS = timedelta(days=7)  # what watches the platform looks at runs of the last days


def _check_kept(text: str) -> str:
    return text if text == FOREVER else check_duration(text)


Kept = Annotated[str, Field(pattern=f"{DURATION}|^{FOREVER}$"), AfterValidator(_check_kept)] | None


class Retention(SpecModel):
    """How long each kind of thing is kept, such as 90d; without a value as the platform says, and else for ever."""

    processed: Kept = Field(default=None, description="loaded and scored files, with their reports")
    rejected: Kept = Field(default=None, description="rejected files, with their reports")
    results: Kept = Field(default=None, description="result files, with their cards")
    predictions: Kept = Field(default=None, description="entries in the log of predictions")
    candidates: Kept = Field(default=None, description="MLflow's runs of candidates; the runs of searches stay")


def _check_records(text: str) -> str:
    if text != FOREVER and timedelta_of(text) < LEAST_FOR_RECORDS:
        raise ValueError(f"{text} is too short: Airflow's records are kept for {LEAST_FOR_RECORDS.days}d at least")
    return text


class PlatformRetention(Retention):
    """How long things are kept where a data set says nothing else, and what belongs to no data set."""

    airflow: Annotated[Kept, AfterValidator(lambda text: text and _check_records(text))] = Field(
        default=None, description="Airflow's records of runs that have ended, with their XComs; 7d or more"
    )


def kept_for(store: Store, own: Retention, platform: Retention) -> timedelta | None:
    """Return how long a store of a data set is kept; None: for ever.

    Args:
        store: the kind of thing.
        own: what the data set says.
        platform: what holds if it says nothing.
    """
    text: str | None = getattr(own, store) or getattr(platform, store)
    return None if text is None or text == FOREVER else timedelta_of(text)
