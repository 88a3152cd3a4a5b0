"""The page Sources: up to where each source was read, what waits there, its problem, and a pull on demand."""

import streamlit as st

from ml_platform.home.parts import acting, specs
from ml_platform.home.parts.missing import may_be_missing
from ml_platform.home.parts.text import ago, counted, plain, when
from ml_platform.records import sources
from ml_platform.records.sources import PulledRange
from ml_platform.sources.ranges import Feed, Status
from ml_platform.sources.status import feeds

PURPOSES = {"train": "rows for training", "test": "rows to be scored"}
EXAMPLE = """source:
  kind: sql              # or kafka, mongodb, s3
  connection: claims_db  # an Airflow connection: address and login
  table: claims
  watermark: changed_at  # a column that grows with each new row
"""


def show() -> None:
    """Draw the page."""
    st.title("Sources")
    found = feeds(specs.catalog())
    if not found:
        _none()
        return
    st.caption("Rows that are pulled by themselves. Each range of a source becomes one file in the inbox.")
    with may_be_missing("The sources"):
        for feed, status in sources.with_status(found):
            with st.container(border=True):
                _source(feed, status)


def _none() -> None:
    st.info("No data set has a source: people drop its files.", icon=":material/info:")
    st.write(
        "A source is a database, a topic of Kafka, a collection of MongoDB or a bucket, from which new rows are pulled "
        "by themselves. Add it to a data set on the page **Spec**; the guide `docs/sources.md` explains each kind:"
    )
    st.code(EXAMPLE, language="yaml")


def _source(feed: Feed, status: Status | None) -> None:
    source = feed.source
    st.subheader(f"{plain(feed.table.name)}: {PURPOSES[feed.purpose]}", anchor=False)
    st.text(f"{source.kind}: {source.place}\nconnection {source.connection}, asked every {source.every}")
    if status is None:
        st.info("It was not looked at yet. Is its pull switched on?", icon=":material/info:")
    else:
        _status(status)
    _pull(feed)
    key = f"ranges of {sources.dag_of(feed)}"
    if st.toggle("Show the ranges that were read last", key=key):
        with may_be_missing("The ranges"):
            _ranges(feed)


def _status(status: Status) -> None:
    if status.problem:
        st.error("It cannot be read now. It is tried again by itself.", icon=":material/error:")
        st.code(status.problem, language=None, wrap_lines=True)
    lag, seen, landed = st.columns(3)
    lag.metric("Waiting in the source", "not counted" if status.lag is None else f"{status.lag:,}")
    seen.metric("Last look", ago(status.seen_at), help=when(status.seen_at))
    landed.metric("Pulled so far", counted(status.rows, "row"), help=counted(status.files, "file"))
    st.text(f"Read up to {status.position or 'the beginning'}; the source has {status.newest or 'nothing'}")
    if status.waiting:
        st.caption(f"{counted(status.waiting, 'range')} planned, and not in the inbox yet.")


def _pull(feed: Feed) -> None:
    name, dag = feed.table.name, sources.dag_of(feed)

    def do(by: str) -> str:
        sources.pull_now(feed, by=by)
        return f"The pull of {name} has been started; new rows are in the inbox in some seconds."

    if st.button("Pull now", key=f"pull {dag}", icon=":material/download:", disabled=not acting.is_allowed()):
        acting.act("pull from the source", do, dataset=name, target=dag)
        st.rerun()


def _ranges(feed: Feed) -> None:
    found = sources.last_ranges(feed)
    if not found:
        st.caption("Nothing was read yet.")
        return
    st.dataframe(
        [_row(one) for one in found], hide_index=True, alt=f"The last ranges of {feed.table.name}, the newest first"
    )


def _row(one: PulledRange) -> dict[str, object]:
    return {
        "partition": one.partition,
        "after": one.start or "the beginning",
        "up to": one.end,
        "rows": one.rows,
        "left out": one.skipped,
        "planned": one.planned_at,
        "in the inbox": one.landed_at,
        "by": one.by,
        "read again because": one.reason,
        "file": one.object_key,
    }
