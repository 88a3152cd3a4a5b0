"""The logs of containers, as `docker compose logs --timestamps` prints them."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from stack.logs.entry import Entry, parse
from stack.logs.times import begin_of

LINE = re.compile(r"([\w.-]+?)(?:-\d+)?\s*\| (\S+) (.*)")


def entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Return the entries, in the order of the lines; a line without a time has that of the container's log."""
    for line in lines:
        if (found := LINE.match(line.rstrip())) and found[3].strip():
            time, _ = begin_of(found[2], 0)
            yield parse(found[1], found[3], time or datetime.now(UTC))
