"""Keys of the JSON lines that are made of a source's rows; in other files they are columns like any other."""

from collections.abc import Collection

POSITION = "_position"  # where the row is in the source, such as: topic claims, partition 0, offset 17
FAULT = "_fault"  # why an entry of the source is no row; then `VALUE` is the entry
VALUE = "_value"


def source_keys(names: Collection[str]) -> set[str]:
    """Return the names that are no columns of the data, if these are the columns of a source's rows."""
    return {POSITION, FAULT, VALUE} if POSITION in names else set()
