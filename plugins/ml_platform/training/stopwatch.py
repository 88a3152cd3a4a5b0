"""The time of a search, over all its attempts."""

import time


class Stopwatch:
    """Counts the seconds of a search; a search that resumes begins with those of its earlier attempts."""

    def __init__(self, before: float = 0.0) -> None:
        """Start, with so many seconds of earlier attempts."""
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        """Return the seconds of all attempts so far."""
        return time.monotonic() - self._start
