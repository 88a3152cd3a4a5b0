"""The values that the steps of a promotion pass on. This module is light, so a DAG file can import it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CopiedVersion:
    """A version and its copy in another registry.

    Attributes:
        model: name of the registered model, in both registries.
        version: number of the version here.
        environment: name of the other environment.
        target_version: number of the copy there.
        model_sha256: digest of the files, in both.
        run_id: id of the run that trained it here.
    """

    model: str
    version: int
    environment: str
    target_version: int
    model_sha256: str
    run_id: str

    def __str__(self) -> str:
        """Return both numbers, as the subject of a sentence."""
        return f"{self.model} version {self.version}, in {self.environment} version {self.target_version},"


@dataclass(frozen=True)
class PromotionRequest:
    """A request to make a version the champion of an environment.

    Attributes:
        by: the user or the DAG.
        reason: in words.
        approved_by: the user who approved it; None if nobody was asked.
        id: of the request; a request that is repeated moves nothing. None if it is never repeated.
    """

    by: str
    reason: str
    approved_by: str | None = None
    id: str | None = None
