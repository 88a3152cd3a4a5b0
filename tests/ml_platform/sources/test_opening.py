"""Opening a source loads the packages of its kind, and says which extra has them."""

import sys

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import READERS, open_source
from ml_platform.specs.sources import SOURCE_KINDS
from tests.ml_platform.ingestion.upload_cases import make_dataset


def test_every_kind_has_a_reader() -> None:
    assert set(READERS) == set(SOURCE_KINDS)


def test_missing_packages_are_named_with_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    monkeypatch.delitem(sys.modules, "ml_platform.sources.kafka", raising=False)
    source = make_dataset(source={"kind": "kafka", "topic": "t"}).source_of("train")
    assert source is not None
    with pytest.raises(ConfigurationError, match=r"needs the package confluent_kafka.*ml-platform\[kafka\]"):
        open_source(source, SourceConnection("kafka", host="h"))
