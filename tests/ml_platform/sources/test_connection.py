"""The connection of a source shows no secret."""

from pydantic import SecretStr

from ml_platform.sources.connection import SourceConnection


def test_its_text_shows_no_secret() -> None:
    connection = SourceConnection("c", login="ann", password=SecretStr("secret one"), extra={"token": "secret two"})
    assert "secret" not in repr(connection)
    assert "ann" in repr(connection)
