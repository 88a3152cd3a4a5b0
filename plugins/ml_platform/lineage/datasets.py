"""The names and facets by which OpenLineage knows our files, tables, training sets and model versions.

Names follow its rules: `s3://<bucket>` with the key, and `postgres://<host>:<port>` with database, schema and table.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    dataset_version_dataset,
    datasource_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)

from ml_platform.settings import settings
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import Dataset, Table

Facets = dict[str, DatasetFacet]
Name = tuple[str, str, Facets]  # namespace, name and facets


def file(bucket: str, key: str, sha256: str | None = None, columns: Mapping[str, str] | None = None) -> Name:
    """Return a file in the object store; its version is the hash that identifies it."""
    facets = _source(f"s3://{bucket}", settings().s3_endpoint_url) | _version(sha256) | _schema(columns or {})
    return f"s3://{bucket}", key, facets


def table(schema: str, name: str, columns: Mapping[str, str] | None = None) -> Name:
    """Return a table of the database `platform`."""
    server = f"postgres://{settings().platform_db_host}:{settings().platform_db_port}"
    return server, f"platform.{schema}.{name}", _source(server, server) | _schema(columns or {})


def model_version(name: str, version: int, page: str | None = None) -> Name:
    """Return a version of a registered model; each is a data set of its own, so that a graph shows its training set."""
    server = settings().mlflow_tracking_uri
    return server, f"models/{name}/{version}", _source(server, page or server) | _version(str(version))


def as_input(name: Name, rows: int | None = None, size: int | None = None) -> InputDataset:
    """Return what a step read, with the number of rows and bytes if they are known."""
    namespace, own, facets = name
    read = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows, size=size)
    known = rows is not None or size is not None
    return InputDataset(namespace, own, facets=facets, inputFacets={"inputStatistics": read} if known else {})


def as_output(name: Name, rows: int | None = None) -> OutputDataset:
    """Return what a step wrote, with the number of rows if it is known."""
    namespace, own, facets = name
    written = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
    return OutputDataset(
        namespace, own, facets=facets, outputFacets={} if rows is None else {"outputStatistics": written}
    )


def columns_of(spec: Table, names: Iterable[str]) -> dict[str, str]:
    """Return the types of some columns of a spec, and of the two times that each row has."""
    times = {"event_timestamp": "timestamp", "created_timestamp": "timestamp"}
    return _types({name: spec.columns[name] for name in names}) | times


def training_columns(dataset: Dataset) -> dict[str, str]:
    """Return the types of a training set's columns."""
    keys = {key: dataset.columns[key] for key in dataset.keys if key in dataset.columns}
    label = {dataset.label.column: dataset.columns[dataset.label.column]}
    return _types(keys | dict(dataset.features) | label)


def _types(columns: Mapping[str, Column]) -> dict[str, str]:
    return {name: column.type for name, column in columns.items()}


def _source(name: str, uri: str) -> Facets:
    return {"dataSource": datasource_dataset.DatasourceDatasetFacet(name=name, uri=uri)}


def _version(text: str | None) -> Facets:
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=text)} if text else {}


def _schema(columns: Mapping[str, Any]) -> Facets:
    fields = [schema_dataset.SchemaDatasetFacetFields(name=name, type=kind) for name, kind in columns.items()]
    return {"schema": schema_dataset.SchemaDatasetFacet(fields=fields)} if fields else {}
