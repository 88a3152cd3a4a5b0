"""Where results are: their bucket, and the keys of their cards. The module is light, so that a command starts fast."""

BUCKET = "result"


def card_key(result_key: str) -> str:
    """Return the key of the card beside a result."""
    return f"{result_key.rpartition('.')[0]}.json"
