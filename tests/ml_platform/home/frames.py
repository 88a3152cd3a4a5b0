"""What the tests of the page Data share."""

from typing import Any


def frames(page: Any) -> list[str]:
    """Return the addresses of the frames of a page."""
    return [one.proto.src for one in page.get("iframe")]
