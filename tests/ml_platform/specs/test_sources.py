"""The source of a spec: its options, its mistakes, and the names that follow from it."""

from pathlib import Path
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import parse_table
from ml_platform.specs.changes import compare_specs
from ml_platform.specs.spec import Dataset, FeatureTable
from tests.ml_platform.ingestion.upload_cases import make_dataset

PENGUINS = Path("datasets/penguins.yaml")
KAFKA = {"kind": "kafka", "topic": "claims"}
MONGODB = {"kind": "mongodb", "collection": "claims"}
S3 = {"kind": "s3", "connection": "partner", "bucket": "daily"}


def test_one_source_is_that_of_rows_for_training() -> None:
    one, both = make_dataset(source=KAFKA), make_dataset(source={"train": KAFKA, "test": S3})
    assert one.source_of("train") == both.source_of("train")
    assert one.source_of("test") is None
    assert both.source_of("test").kind == "s3"  # type: ignore[union-attr]
    assert make_dataset().source_of("train") is None


def test_a_source_changes_nothing_about_rows_already_loaded() -> None:
    without, with_one = make_dataset(), make_dataset(source=KAFKA)
    assert without.sha256 == with_one.sha256
    changes = compare_specs(without.model_dump(mode="json"), with_one.model_dump(mode="json"))
    assert (changes.compatible, changes.incompatible) == ((), ())


def test_the_origin_names_what_is_read_and_nothing_else_changes_it() -> None:
    origin = make_dataset(source=KAFKA).source_of("train").origin  # type: ignore[union-attr]
    assert origin == "kafka:kafka/claims"
    same = make_dataset(source={**KAFKA, "every": "1h", "max_rows": 5}).source_of("train")
    other = make_dataset(source={**KAFKA, "connection": "other"}).source_of("train")
    assert same.origin == origin  # type: ignore[union-attr]
    assert other.short_name != same.short_name  # type: ignore[union-attr]
    assert same.period == 3600  # type: ignore[union-attr]


def test_a_query_is_an_origin_whatever_its_white_space() -> None:
    def sql(query: str) -> str:
        source = {"kind": "sql", "connection": "dwh", "query": query, "watermark": "id"}
        return make_dataset(source=source).source_of("train").origin  # type: ignore[union-attr]

    assert sql("SELECT *\n  FROM claims") == sql("SELECT * FROM claims") == "sql:dwh/(SELECT * FROM claims) by id"


def test_a_collection_is_an_origin_with_its_watermark() -> None:
    def origin(**options: Any) -> str:
        return make_dataset(source={**MONGODB, **options}).source_of("train").origin  # type: ignore[union-attr]

    assert origin() == "mongodb:mongodb/claims by _id"
    assert origin(database="shop", watermark="meta.at") == "mongodb:mongodb/shop.claims by meta.at"
    assert origin(updated_at="changed", fields={"NOTE": "a.b"}) == origin()  # the positions of `_id` are continued


def test_files_of_rows_are_known_by_their_name() -> None:
    dataset = make_dataset("claims", source=KAFKA)
    assert dataset.is_made_of_rows("train_claims.kafka-0a1b2c.0.0-9.jsonl.gz")
    assert dataset.is_made_of_rows("train_claims.mongodb-0a1b2c._id-number.7.0123456789.jsonl.gz")
    assert dataset.is_made_of_rows("test_claims.sql-0a1b2c.0-9.jsonl.gz")
    assert not dataset.is_made_of_rows("train_claims.s3-0a1b2c.any.csv")  # a file of others, copied as it is
    assert not dataset.is_made_of_rows("train_claims.csv")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"kind": "sq"}, "source.train: `kind` must be one of kafka, mongodb, sql, s3 (got 'sq')"),
        ({"topic": "x"}, "source.train: `kind` must be one of kafka, mongodb, sql, s3 (got None)"),
        ({**KAFKA, "topc": "x"}, "source.train.topc: no such field; there are: kind, connection, every,"),
        ({"trian": KAFKA}, "source.trian: no such field; there are: train, test"),
        ({}, "source: names no source: give one, or `train` and `test`"),
        (7, "source: Input should be a valid dictionary"),
        ({**KAFKA, "avro_schema": {"type": "record"}}, "source.train: avro_schema: give `format: avro`, too"),
        ({**KAFKA, "format": "csv"}, "source.train.format: Input should be 'json', 'avro' or 'json_schema'"),
        ({**KAFKA, "topic": "a b"}, "source.train.topic: String should match pattern"),
        ({**KAFKA, "every": "soon"}, "source.train.every: String should match pattern"),
        ({**KAFKA, "metadata": {"AT": "timestamp"}}, "the file: source.train names AT, which is no column of the file"),
        ({**KAFKA, "metadata": {"island": "header"}}, "source.train.metadata.island: String should match pattern"),
        ({**S3, "bucket": "Daily"}, "source.train.bucket: not a name of a bucket: 3 to 63 lower-case letters"),
        ({"kind": "sql", "connection": "c", "watermark": "id"}, "source.train: give one of `table` and `query`"),
        (
            {"kind": "sql", "connection": "c", "watermark": "id", "query": "SELECT 1; DROP TABLE x"},
            "source.train: query: one SELECT, without a semicolon",
        ),
        ({"kind": "s3", "bucket": "daily"}, "source.train.connection: Field required"),
        ({**MONGODB, "collection": "a$b"}, "source.train.collection: String should match pattern"),
        ({**MONGODB, "database": "a.b"}, "source.train.database: String should match pattern"),
        ({**MONGODB, "watermark": "$where"}, "source.train.watermark: String should match pattern"),
        ({**MONGODB, "fields": {"island": "a..b"}}, "source.train.fields.island: String should match pattern"),
        ({**MONGODB, "fields": {"X": "a"}}, "the file: source.train names X, which is no column of the file"),
        ({**MONGODB, "updated_at": "_id"}, "source.train: updated_at: it is the watermark already"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(source: Any, problem: str) -> None:
    text = f"{PENGUINS.read_text()}\nsource: {source!r}\n".replace("None", "null")
    with pytest.raises(ConfigurationError) as error:
        parse_table(text, PENGUINS)
    assert f"{PENGUINS}: {problem}" in str(error.value)


def test_a_feature_table_has_a_source_of_rows_and_none_to_be_scored() -> None:
    fields: dict[str, Any] = {
        "name": "rates", "kind": "table", "description": "d", "entity": {"name": "a", "key": "k"},
        "columns": {"k": "text", "x": "number"},
    }  # fmt: skip
    assert FeatureTable.model_validate(fields | {"source": S3}).source_of("train") is not None
    with pytest.raises(ValueError, match=r"source\.test: the rows of a feature table are not scored"):
        FeatureTable.model_validate(fields | {"source": {"test": S3}})


def test_a_stored_spec_is_read_back() -> None:
    dataset = make_dataset(source={"train": {**KAFKA, "metadata": {"NOTE": "header.note"}}})
    assert Dataset.model_validate_json(dataset.model_dump_json()) == dataset


def test_without_a_key_changed_documents_would_be_more_rows() -> None:
    source = {"kind": "mongodb", "database": "shop", "collection": "claims", "updated_at": "changed"}
    make_dataset(source=source)
    with pytest.raises(ValueError, match=r"train\.updated_at: without `entity\.key` a changed document would be"):
        make_dataset(source=source, entity={"name": "thing"})
