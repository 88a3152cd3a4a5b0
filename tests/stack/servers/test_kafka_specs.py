"""Which data sets use our own Kafka, and the topics that they need."""

import pytest

from stack.servers.kafka_specs import datasets, streamed, topics


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


def test_a_data_set_that_is_streamed_uses_it_too(tmp_path):
    write_spec(tmp_path, "stream: true")
    write_spec(tmp_path, "stream: false", name="other")
    assert datasets(tmp_path) == streamed(tmp_path) == ["orders"]


def test_the_topics_of_sources_and_streams_are_named(tmp_path):
    write_spec(tmp_path, "source: {train: {kind: kafka, topic: b}, test: {kind: kafka, topic: a}}\nstream: true")
    write_spec(tmp_path, "source: {kind: kafka, connection: other, topic: c}", name="other")
    write_spec(tmp_path, "source: {kind: kafka}", name="broken")
    assert topics(tmp_path) == ["a", "b", "orders.predictions", "orders.rejected", "orders.rows"]
