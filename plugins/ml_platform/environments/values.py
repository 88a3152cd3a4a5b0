"""What the steps of a promotion to another environment pass on; light, so that a DAG file can name it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CopiedVersion:
    """A version, and what it became in another registry; travels between tasks as a dict.

    Attributes:
        model: name of the registered model, in both.
        version: its number here.
        environment: name of the other.
        target_version: its number there.
        model_sha256: digest of its files, in both.
        run_id: the run here that made it.
    """

    model: str
    version: int
    environment: str
    target_version: int
    model_sha256: str
    run_id: str

    def __str__(self) -> str:
        """Both numbers, as the subject of a sentence."""
        return f"{self.model} version {self.version}, in {self.environment} version {self.target_version},"


@dataclass(frozen=True)
class PromotionRequest:
    """Who wants a version live in an environment.

    Attributes:
        by: the user or the DAG.
        reason: in words.
        approved_by: the user who approved it; None if nobody was asked.
        id: tells one request from the next, so that a repeated one moves nothing; None if it is never repeated.
    """

    by: str
    reason: str
    approved_by: str | None = None
    id: str | None = None
