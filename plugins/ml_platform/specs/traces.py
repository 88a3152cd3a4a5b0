"""Where traces go: a part of the options of the whole platform."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ml_platform.specs.parts import SpecModel


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise ValueError("not an address without a login, such as http://collector:4318")
    return url


class TraceOptions(SpecModel):
    """Where spans of OpenTelemetry go."""

    url: Annotated[str, AfterValidator(_check_url)] | None = Field(
        default=None, description="of a collector that takes OTLP over HTTP; without it, there are no spans"
    )
