"""How long a challenger is tried in shadow before it goes live: the option `shadow` of a data set."""

from pydantic import Field

from ml_platform.specs.parts import Duration, SpecModel


class Shadow(SpecModel):
    """A winner of the gate first scores the same files as the champion; the truth about these rows then decides."""

    rows: int = Field(default=1000, ge=50, description="so many rows with their truth decide")
    within: Duration = Field(
        default="14d", description="after this time the rows with a truth decide, however few, such as 12h, 14d"
    )
