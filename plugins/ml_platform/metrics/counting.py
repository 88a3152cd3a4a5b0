"""Counters from tables: entries since the server started, each counted once, however old they get."""

from collections.abc import Callable
from datetime import datetime, timedelta

NEW = timedelta(seconds=30)  # so long new labels are 0: Prometheus must see the step from 0 to 1
LATE = timedelta(hours=1)  # the longest transaction: until then an entry may appear with an earlier time

Labels = tuple[str, ...]
Values = dict[Labels, tuple[float, ...]]
Count = Callable[[datetime, datetime], Values]  # the entries from the first moment until before the second one


class Counts:
    """The counts of one metric.

    Entries of the last hour or two are counted again each time, so that a query stays cheap and late entries are
    found. A value never falls, also if entries are removed: Prometheus would take that for a restart.
    """

    def __init__(self, start: datetime, width: int) -> None:
        """Count from a moment on.

        Args:
            start: entries before it do not count.
            width: numbers per labels: 1, or 2 for a sum and its number.
        """
        self._edge = start
        self._zero = (0.0,) * width
        self._closed: Values = {}
        self._shown: Values = {}
        self._since: dict[Labels, datetime] = {}

    def read(self, count: Count, now: datetime) -> Values:
        """Return the counts until now.

        Args:
            count: asks for the entries of a time.
            now: the time.
        """
        if now - self._edge > 2 * LATE:
            self._closed = _sum(self._closed, count(self._edge, now - LATE))
            self._edge = now - LATE
        for labels, values in _sum(self._closed, count(self._edge, now + LATE)).items():
            self._shown[labels] = tuple(map(max, self._shown.get(labels, self._zero), values))
            self._since.setdefault(labels, now)
        return {key: shown if now - self._since[key] >= NEW else self._zero for key, shown in self._shown.items()}


def _sum(one: Values, other: Values) -> Values:
    total = dict(one)
    for labels, values in other.items():
        before = total.get(labels, (0.0,) * len(values))
        total[labels] = tuple(a + b for a, b in zip(before, values, strict=True))
    return total
