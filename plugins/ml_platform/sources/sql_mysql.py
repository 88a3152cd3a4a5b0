"""What the types of a column say in MySQL and MariaDB beyond the values that their driver gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

DIALECTS = {"mysql", "mariadb"}
FLOAT, TIMESTAMP = 4, 7  # in the protocol


@dataclass(frozen=True)
class Columns:
    """The columns that need more than their values, by place in a row.

    Attributes:
        instants: of the type TIMESTAMP. The session is in UTC, so their values get this offset.
        floats: of the type FLOAT, which the server writes with six digits.
    """

    instants: tuple[int, ...] = ()
    floats: tuple[int, ...] = ()

    def complete(self, values: list[Any]) -> None:
        """Add the offset to the instants of a row."""
        for place in self.instants:
            value = values[place]
            if isinstance(value, datetime):
                values[place] = value.replace(tzinfo=UTC)

    def notes(self, names: Sequence[str]) -> list[str]:
        """Return what a person should know of the columns."""
        floats = ", ".join(names[place] for place in self.floats)
        text = f"the server writes six digits of {floats}; for all digits cast FLOAT to DOUBLE in a `query`"
        return [text] if floats else []


def columns(result: sa.CursorResult[Any]) -> Columns:
    """Return the columns of a result whose first column is the watermark."""
    description: Any = result.cursor.description if result.cursor else ()
    codes = [column[1] for column in description[1:]]
    return Columns(*(tuple(i for i, code in enumerate(codes) if code == wanted) for wanted in (TIMESTAMP, FLOAT)))


def release_result(connection: Any, *_: object) -> None:
    """Let a lost connection of pymysql end the result that it was reading: its finalizer would read on, and fail."""
    if (result := connection._result) is not None:
        result.unbuffered_active = False
