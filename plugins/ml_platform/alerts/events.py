"""The events: what each says, where its link leads, what to do, and whether it ends.

A state ends, and then there is an all-clear. A happening does not: a model that was rolled back stays rolled back.
"""

from dataclasses import dataclass

from ml_platform.specs.alerts import EventName


@dataclass(frozen=True)
class Event:
    """The texts of an event; `{name}` stands for a fact of its cause.

    Attributes:
        title: what it is, in two or three words.
        text: what has happened, as a sentence.
        advice: what to do.
        page: scheme and target of the page to open, as in `ml_platform.pages`.
        is_state: whether it ends.
    """

    title: str
    text: str
    advice: str
    page: tuple[str, str]
    is_state: bool = True


MAKE_STATUS = "`make status` shows all servers, and `make logs server={server}` the end of the log"

EVENTS: dict[EventName, Event] = {
    "file_rejected": Event(
        title="File rejected",
        text="{file} in the bucket {bucket} was rejected, and no row of it was loaded. {reason}",
        advice="Open the report {report} in the bucket {bucket}, fix the file and drop it again.",
        page=("bucket", "{bucket}/rejected"),
        is_state=False,
    ),
    "training_failed": Event(
        title="Training failed",
        text="The last finished run of {dag} failed. The champion, if there is one, stays live.",
        advice="Open the red task and read the end of its log. Remove the cause, then clear the task: it continues.",
        page=("run", "{dag}/{run}"),
    ),
    "run_failed": Event(
        title="Run failed",
        text="The last finished run of {dag} failed.",
        advice="Open the red task and read the end of its log. Remove the cause, then clear the task.",
        page=("run", "{dag}/{run}"),
    ),
    "challenger_refused": Event(
        title="Challenger not promoted",
        text="The gate did not let version {version} of {dataset} go live. {reason}",
        advice="The champion stays, so nothing must be done. The card gate/card.md of the version has all figures.",
        page=("model", "{dataset}"),
        is_state=False,
    ),
    "approval_waits": Event(
        title="Approval needed",
        text="A new version of {dataset} passed the checks and waits for an approval: {subject}",
        advice="Read the comparison on this page, then approve or reject. Without an answer the champion stays.",
        page=("approvals", "{dag}/{run}"),
    ),
    "rolled_back": Event(
        title="Model rolled back",
        text="{by} rolled {dataset} back from version {before} to version {after}. {reason}",
        advice="Find out what was bad about version {before} before the next training. "
        "`./ml-platform models history {dataset}` shows what was live when.",
        page=("model", "{dataset}"),
        is_state=False,
    ),
    "drift": Event(
        title="Drift",
        text="{reason}",
        advice="Look at the columns that are named. If the world has changed, train on newer rows.",
        page=("bucket", "reports/{dataset}"),
    ),
    "performance": Event(
        title="Performance below the promise",
        text="{reason}",
        advice="Train on newer rows, or roll back: `./ml-platform models rollback {dataset} --reason ...`.",
        page=("bucket", "reports/{dataset}"),
    ),
    "nothing_arrived": Event(
        title="Nothing arrived",
        text="{dataset} expects rows every {every}, and none were loaded since {last}. The last file was {file}.",
        advice="Ask the sender of the files, and look for a rejected or a waiting file in the bucket train.",
        page=("bucket", "train"),
    ),
    "fewer_rows": Event(
        title="Fewer rows than expected",
        text="{rows} rows of {dataset} were loaded in the last {every}; expected are at least {least}. "
        "The last file was {file}.",
        advice="Ask the sender of the files whether one is incomplete. It can be taken back: "
        "`./ml-platform uploads withdraw`.",
        page=("bucket", "train/processed"),
    ),
    "more_rows": Event(
        title="More rows than expected",
        text="{rows} rows of {dataset} were loaded in the last {every}; expected are at most {most}. "
        "The last file was {file}.",
        advice="Ask the sender of the files whether rows came twice. A file can be taken back: "
        "`./ml-platform uploads withdraw`.",
        page=("bucket", "train/processed"),
    ),
    "disk_full": Event(
        title="Disk nearly full",
        text="{percent} % of the disk of {path} is used; {free} GB are free.",
        advice="Move old backups away, or lower LOG_RETENTION_DAYS in .env and run the DAG housekeeping.",
        page=("dag", "housekeeping"),
    ),
    "server_unhealthy": Event(
        title="Server unhealthy",
        text="{server} does not do its work: {problem}",
        advice=f"{MAKE_STATUS}; `make up` starts what has stopped. In containers: `docker compose ps`, "
        "`docker compose logs {server}`.",
        page=("screen", "{server}"),
    ),
    "backup_old": Event(
        title="Backup too old",
        text="The newest backup in {folder} is from {newest}; it may be {within} old.",
        advice="Run `make backup`, and have it run regularly.",
        page=("screen", "airflow"),
    ),
}
