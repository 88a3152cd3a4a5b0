"""The events of OpenLineage about our steps: a load, a frozen training set, a trained version, a scored file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import RunFacet, error_message_run, job_type_job, parent_run

from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.lineage import datasets
from ml_platform.scoring.result_keys import BUCKET as RESULTS
from ml_platform.specs.spec import LABEL_FOLDER, Dataset, Table
from ml_platform.training.results import Challenger, TrainingSetReference
from ml_platform.training.training_set import BUCKET as TRAINING_SETS

NAMESPACE = "ml-platform"
PRODUCER = "urn:ml-platform"


@attr.define
class StepRunFacet(RunFacet):
    """What a step counted, and the ids by which other records know it; a facet of our own."""

    counts: dict[str, int]
    ids: dict[str, str]

    @staticmethod
    def _get_schema() -> str:
        return "urn:ml-platform:facets:step"


@dataclass(frozen=True)
class Step:
    """One piece of work, with what it read and wrote.

    Attributes:
        job: its name, `<data set>.<verb>`.
        inputs: what it read.
        outputs: what it wrote.
        counts: numbers of rows, by what became of them.
        ids: of other records, such as the run in MLflow.
        error: why it failed; "" if it did not.
    """

    job: str
    inputs: list[InputDataset]
    outputs: list[OutputDataset]
    counts: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class RunTimes:
    """The id of a run, which is the same if the step is emitted again, its times, and the facet of its parent."""

    run_id: str
    began: datetime
    ended: datetime
    parent: parent_run.ParentRunFacet | None = None


def run_events(step: Step, run: RunTimes) -> list[RunEvent]:
    """Return the two events of a run: its start, and its end with everything that is known."""
    facets: dict[str, RunFacet] = {"parent": run.parent} if run.parent else {}
    job_type = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="ML_PLATFORM", jobType="STEP")
    job = Job(NAMESPACE, step.job, facets={"jobType": job_type})
    end = RunState.FAIL if step.error else RunState.COMPLETE
    return [
        RunEvent(
            eventType=RunState.START,
            eventTime=run.began.isoformat(),
            run=Run(run.run_id, facets=dict(facets)),
            job=job,
            producer=PRODUCER,
        ),
        RunEvent(
            eventType=end,
            eventTime=run.ended.isoformat(),
            run=Run(run.run_id, facets=facets | _step_facets(step)),
            job=job,
            inputs=step.inputs,
            outputs=step.outputs,
            producer=PRODUCER,
        ),
    ]


def _step_facets(step: Step) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {"mlPlatform_step": StepRunFacet(counts=dict(step.counts), ids=dict(step.ids))}
    if step.error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=step.error, programmingLanguage="python"
        )
    return facets


def of_upload(table: Table, report: UploadReport, card: Mapping[str, Any] | None = None) -> Step | None:
    """Return the step that took one file; None if it brought nothing new, as a file that was loaded before.

    Args:
        table: the spec.
        report: as the step returned it.
        card: of the result, if it was scored.
    """
    upload = datasets.file(report["bucket"], report["archived_key"], report["sha256"])
    read = datasets.as_input(upload, report["rows_read"], report["bytes"])
    names = ("rows_read", "rows_loaded", "rows_rejected", "rows_present")
    counts = {name.removeprefix("rows_"): int(report[name]) for name in names}  # type: ignore[literal-required]
    ids = {"object_key": report["key"]}
    verb = "load" if report["purpose"] == "train" else "score"
    if report["outcome"] == "rejected":
        # the reasons name values of the file, which an erasure could not reach here
        text = f"rejected; the reasons are in s3://{report['bucket']}/{report['report_key']}"
        return Step(f"{table.name}.{verb}", [read], [], counts, ids, text)
    if report["outcome"] == "loaded":
        return Step(f"{table.name}.{verb}", [read], _tables(table, report), counts, ids)
    if report["outcome"] == "scored" and card:
        return _scoring(f"{table.name}.{verb}", read, counts, ids, card)
    return None


def _tables(table: Table, report: UploadReport) -> list[OutputDataset]:
    """Return the tables that a load wrote; how many of its rows have a label is not counted."""
    keys, rows = [key for key in table.keys if key in table.columns], report["rows_loaded"]
    has_labels_alone = report["key"].startswith(LABEL_FOLDER)
    written = []
    if not has_labels_alone:
        features = datasets.columns_of(table, [name for name in table.columns if name not in table.label_columns])
        written.append(datasets.as_output(datasets.table("features", table.name, features), rows))
    if isinstance(table, Dataset):
        labels = datasets.table("labels", table.name, datasets.columns_of(table, [*keys, *table.label_columns]))
        written.append(datasets.as_output(labels, rows if has_labels_alone else None))
    return written


def _scoring(
    job: str, read: InputDataset, counts: Mapping[str, int], ids: Mapping[str, str], card: Mapping[str, Any]
) -> Step:
    model = datasets.model_version(card["model"], card["model_version"], card.get("model_page"))
    written = [
        datasets.as_output(datasets.file(RESULTS, card["result"]), card["rows_out"]),
        datasets.as_output(datasets.table("predictions", "log"), card["rows_out"]),
    ]
    known = {"mlflow_run": card["model_run_id"], "training_set": card["training_set_sha256"]}
    counted = {**counts, "scored": card["rows_out"]}
    return Step(job, [read, datasets.as_input(model)], written, counted, {**ids, **known})


def of_training_set(dataset: Dataset, reference: TrainingSetReference) -> Step:
    """Return the step that froze a training set."""
    features = [datasets.table("features", table.name) for table in (dataset, *dataset.tables)]
    read = [datasets.as_input(name) for name in (*features, datasets.table("labels", dataset.name))]
    counts = {"rows": reference.rows, "uploads": len(reference.sources)}
    ids = {"training_set": reference.sha256, "spec": reference.spec_sha256}
    written = [datasets.as_output(_frozen(dataset, reference), reference.rows)]
    return Step(f"{dataset.name}.freeze_training_set", read, written, counts, ids)


def of_training(dataset: Dataset, reference: TrainingSetReference, challenger: Challenger) -> Step:
    """Return the step that trained and registered a version."""
    read = [datasets.as_input(_frozen(dataset, reference), reference.rows)]
    written = [datasets.as_output(datasets.model_version(challenger.name, challenger.version, challenger.url))]
    ids = {"training_set": reference.sha256, "mlflow_run": challenger.run_id}
    return Step(f"{dataset.name}.refit", read, written, {"candidates": challenger.search.total}, ids)


def _frozen(dataset: Dataset, reference: TrainingSetReference) -> datasets.Name:
    return datasets.file(TRAINING_SETS, reference.key, reference.sha256, datasets.training_columns(dataset))
