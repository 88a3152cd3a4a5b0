"""The YAML of a data set with a source, made from that of a sample."""

import shutil
from pathlib import Path

import pytest

from ml_platform.commands.demo.source_spec import spec_text, write_spec
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog, dataset
from stack.config import ROOT

KAFKA = {"kind": "kafka", "topic": "demo-penguins"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The specs of the samples, without those that a demo on this machine has made of them."""
    made = shutil.ignore_patterns("kafka_*", "mongodb_*", "sql_*")
    return Path(shutil.copytree(ROOT / "datasets", tmp_path / "datasets", ignore=made))


@pytest.mark.parametrize("sample", ["auto", "ecg", "flights", "penguins", "penguin_mass"])
def test_every_sample_can_have_a_source(folder: Path, sample: str) -> None:
    """It is the same data set by another name, and goes together with the others."""
    path = write_spec(folder, sample, f"kafka_{sample}", KAFKA)
    assert path == folder / f"kafka_{sample}.yaml"
    assert catalog(folder).problems == ()
    made, original = dataset(f"kafka_{sample}", folder), dataset(sample, folder)
    assert (made.features, made.tables, made.search) == (original.features, original.tables, original.search)
    source = made.source_of("train")
    assert source is not None
    assert (source.origin, made.source_of("test")) == ("kafka:kafka/demo-penguins", None)


def test_comments_stay_and_only_two_lines_differ() -> None:
    text = "# about birds\nname: penguins  # the short name\ncolumns: {name: text}\n"
    made = "# about birds\nname: x\nsource: {kind: kafka, topic: demo-penguins}   # filled by `make demo`\n"
    assert spec_text(text, "x", KAFKA) == f"{made}columns: {{name: text}}\n"


def test_a_second_time_nothing_is_written(folder: Path) -> None:
    path = write_spec(folder, "penguins", "kafka_penguins", KAFKA)
    assert path is not None
    path.write_text(path.read_text() + "# edited\n")
    assert write_spec(folder, "penguins", "kafka_penguins", KAFKA) is None
    assert path.read_text().endswith("# edited\n")


@pytest.mark.parametrize("line", ["", "source: {kind: kafka, topic: other}"])
def test_a_data_set_of_that_name_with_other_rows_is_refused(folder: Path, line: str) -> None:
    path = folder / "kafka_penguins.yaml"
    path.write_text((folder / "penguins.yaml").read_text().replace("name: penguins", f"name: kafka_penguins\n{line}"))
    before = path.read_text()
    with pytest.raises(ConfigurationError, match=r"kafka_penguins\.yaml is there already, and its source is none that"):
        write_spec(folder, "penguins", "kafka_penguins", KAFKA)
    assert path.read_text() == before


def test_a_sample_that_has_a_source_is_refused(folder: Path) -> None:
    path = folder / "penguins.yaml"
    path.write_text(path.read_text() + "source: {kind: kafka, topic: penguins}\n")
    with pytest.raises(ConfigurationError, match=r"penguins\.yaml has a source already"):
        write_spec(folder, "penguins", "kafka_penguins", KAFKA)


def test_a_sample_without_a_yaml_is_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no data set 'birds'; there are: auto, "):
        write_spec(folder, "birds", "kafka_birds", KAFKA)


def test_what_does_not_go_together_with_other_data_sets_is_not_written(folder: Path) -> None:
    text = (folder / "auto.yaml").read_text()
    (folder / "kafka_penguins_old.yaml").write_text(text.replace("name: auto", "name: kafka_penguins_old", 1))
    with pytest.raises(ConfigurationError, match="no name may begin with another's"):
        write_spec(folder, "penguins", "kafka_penguins", KAFKA)
    assert not (folder / "kafka_penguins.yaml").exists()
    assert catalog(folder).problems == ()
