"""Which data sets have our own Kafka as a source."""

import pytest

from stack.servers.kafka_specs import datasets


def write_spec(folder, source, name="orders"):
    (folder / f"{name}.yaml").write_text(f"name: {name}\n{source}\n")


@pytest.mark.parametrize(
    "source",
    [
        "source: {kind: kafka, topic: orders}",
        "source:\n  kind: kafka\n  connection: kafka",
        "source: {kind: kafka, connection: null}",
        "source: {train: {kind: files}, test: {kind: kafka}}",
    ],
)
def test_a_source_without_another_connection_is_ours(tmp_path, source):
    write_spec(tmp_path, "source: {kind: mongodb}", name="other")
    write_spec(tmp_path, source)
    assert datasets(tmp_path) == ["orders"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "source: {kind: mongodb}",
        "source: {kind: kafka, connection: company_kafka}",
        "source: {train: {kind: kafka, connection: company_kafka}}",
        "source: kafka",
        "source:",
        "source: {kind: kafka",
        "description: |\n  source: {kind: kafka}",
    ],
)
def test_no_other_source_is(tmp_path, source):
    write_spec(tmp_path, source)
    assert datasets(tmp_path) == []


def test_a_file_that_an_editor_left_is_no_data_set(tmp_path):
    write_spec(tmp_path, "source: {kind: kafka}", name=".orders")
    assert datasets(tmp_path) == []
