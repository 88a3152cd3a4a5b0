"""A look gives a text that changes when the source has something new; the connection is kept between looks."""

from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources import look as module
from ml_platform.sources.look import Look
from ml_platform.sources.opening import open_source
from tests.ml_platform.ingestion.upload_cases import many
from tests.ml_platform.sources.source_cases import feed_of, no_login, s3_client

pytestmark = pytest.mark.servers


def test_the_state_changes_with_what_is_new_and_one_connection_serves_all_looks(partner, bucket, monkeypatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(module, "open_source", lambda *args: opened.append(args) or open_source(*args))
    look = Look(feed_of({"kind": "s3", "connection": "partner", "bucket": bucket}).source.model_dump_json())
    assert (look.connection, look.period) == ("partner", 60.0)
    empty = look.state(partner)
    assert look.state(partner) == empty
    s3_client(partner).put_object(Bucket=bucket, Key="a.csv", Body=many(1))
    assert look.state(partner) != empty
    assert len(opened) == 1
    with pytest.raises(ConfigurationError):
        look.state(no_login(partner))
    look.state(partner)
    assert len(opened) == 3
    look.close()
