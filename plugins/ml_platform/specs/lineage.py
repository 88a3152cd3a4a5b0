"""Where the events about lineage go: a part of the options of the whole platform."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ml_platform.specs.parts import SpecModel


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an address such as http://marquez:5000")
    if parts.username or parts.password:
        raise ValueError("has a login in it; put a key into the variable OPENLINEAGE_API_KEY")
    return url


class LineageOptions(SpecModel):
    """Where events of OpenLineage go."""

    file: bool = Field(default=True, description="append them to a file per day, in the folder of Airflow's logs")
    url: Annotated[str, AfterValidator(_check_url)] | None = Field(
        default=None, description="of Marquez or another server that takes events of OpenLineage; it gets them too"
    )
