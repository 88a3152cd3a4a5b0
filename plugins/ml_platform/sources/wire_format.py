"""Which schema a message of Kafka was written with: Confluent's wire format, before the value or in a header."""

from uuid import UUID

ID_HEADER = "__value_schema_id"  # newer clients put the id here, and nothing before the value
ID_BYTES, GUID_BYTES = 5, 17  # each with the byte that says which of them it is
ID_MARK, GUID_MARK = 0, 1


class UndecodableError(Exception):
    """A message is no row; the text is the reason with which it comes back."""


def split_message(value: bytes, header: bytes | None) -> tuple[str, bytes]:
    """Return the name of a message's schema in the registry, such as `ids/7`, and the encoded row.

    Args:
        value: of the message.
        header: the content of its header `ID_HEADER`, if it has one.

    Raises:
        UndecodableError: it names no schema.
    """
    if header is not None:
        name, rest = _schema_name(header)
        if rest:
            raise UndecodableError(f"the header {ID_HEADER} is longer than an id")
        return name, value
    return _schema_name(value)


def _schema_name(content: bytes) -> tuple[str, bytes]:
    """Return the name at the beginning of some bytes, and the bytes after it."""
    if content[:1] == bytes([ID_MARK]) and len(content) >= ID_BYTES:
        return f"ids/{int.from_bytes(content[1:ID_BYTES])}", content[ID_BYTES:]
    if content[:1] == bytes([GUID_MARK]) and len(content) >= GUID_BYTES:
        return f"guids/{UUID(bytes=content[1:GUID_BYTES])}", content[GUID_BYTES:]
    raise UndecodableError("names no schema: a message of a schema registry begins with a zero byte and the id of one")
