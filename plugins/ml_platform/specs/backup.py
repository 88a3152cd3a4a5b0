"""When backups are made. The folder `stack` reads it, too: backups need rights that tasks do not have."""

from pydantic import Field

from ml_platform.specs.parts import Duration, SpecModel


class Backup(SpecModel):
    """A schedule of backups."""

    every: Duration = Field(default="1d", description="the time from one backup to the next, such as 6h, 1d")
    keep: int = Field(default=7, ge=1, description="how many are kept; older ones are removed after a new one")
    to: str | None = Field(default=None, min_length=1, description="a folder; by default backups/ beside the code")
