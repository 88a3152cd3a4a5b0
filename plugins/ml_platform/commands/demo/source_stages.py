"""The demo whose training rows come from a source: they are pulled into the inbox, and behind it all is the same."""

from datetime import UTC, datetime
from functools import partial

from rich.console import Console

from ml_platform.commands.demo.reports import read_report, report_keys
from ml_platform.commands.demo.sample_source import SampleSource
from ml_platform.commands.demo.stages import Demo, DemoError, accepted
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.parts import Purpose
from ml_platform.storage import object_store
from stack.config import Config

BUCKET: Purpose = "train"


class SourceDemo(Demo):
    """The demo of a data set with a source."""

    def __init__(self, config: Config, console: Console, source: SampleSource) -> None:
        """Log in to Airflow."""
        super().__init__(config, console, source.dataset_name, source.sample_name)
        self.source = source
        self.began = datetime.now(UTC)
        self.earlier_reports: set[str] = set()

    def run(self) -> None:
        """Fill the source, then show the demo.

        Raises:
            DemoError: a stage failed or took too long.
            PlatformError: the source cannot be filled.
        """
        self.earlier_reports = self._report_keys()
        self.source.connect(self.airflow)
        if added := self.source.fill():
            self.say(f"{added:,} rows of {self.source.path.name} were added to {self.source.place}")
        else:
            self.say(f"the rows of {self.source.path.name} are in {self.source.place} already")
        super().run()

    def dag_ids(self) -> list[str]:
        """Return the DAGs of the demo, and that of the source."""
        return [*super().dag_ids(), self._pull]

    def train(self) -> None:
        """Pull all that is in the source. Follow the load and, if it has new rows, the training."""
        self.pull()
        reports = self.loaded()
        for report in reports:
            self.say_loaded(report)
        if not reports:
            self.say("the source has nothing new: nothing is loaded twice")
        self.follow_training(self.began if any(report["outcome"] == "loaded" for report in reports) else None)

    def pull(self) -> None:
        """Run the DAG of the source, and follow the run.

        Raises:
            DemoError: the source cannot be reached from there.
        """
        run_id = self.airflow.trigger(self._pull)
        self.follow(f"{self.source.place} is pulled", self._pull, partial(self._has_succeeded, run_id))
        for task in self.airflow.tasks(self._pull, run_id):
            if task.state == "skipped":
                raise DemoError(f"Airflow cannot reach {self.source.place}. Its log: {self.log_url(task)}")

    def loaded(self) -> list[UploadReport]:
        """Follow the load of the files that were pulled; return their reports, oldest first.

        Raises:
            DemoError: a file was rejected.
        """
        ingest = f"ingest_{self.dataset.name}"
        self.follow(
            "what was pulled is processed", ingest, lambda: not object_store.list_objects(BUCKET, self._file_names)
        )
        return [accepted(read_report(BUCKET, key)) for key in sorted(self._report_keys() - self.earlier_reports)]

    @property
    def _pull(self) -> str:
        return f"pull_{self.dataset.name}"

    @property
    def _file_names(self) -> str:
        """How the keys of the files begin that are made of the source's rows."""
        source = self.dataset.source_of(BUCKET)
        return f"{self.dataset.inbox_prefix(BUCKET)}.{source.short_name if source else ''}."

    def _report_keys(self) -> set[str]:
        return report_keys(BUCKET, self._file_names.replace(".", "_"))  # as they are archived

    def _has_succeeded(self, run_id: str) -> bool:
        return bool(self.airflow.run(self._pull, run_id)["state"] == "success")
