"""Alerts on real servers: Postgres, a mail server and a webhook; the time is given."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ml_platform.alerts import delivery, messages, recorded, store
from ml_platform.alerts.causes import Cause, Look
from ml_platform.alerts.database_away import DatabaseAway
from ml_platform.alerts.environment import Environment
from ml_platform.alerts.messages import Part
from ml_platform.alerts.server import Sender
from ml_platform.specs.alerts import AlertOptions

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FULL = Cause("disk_full", "/data", {"path": "/data", "percent": 95, "free": 3})
ROLLED = Cause("rolled_back", "7", {"before": 3, "after": 2, "by": "ada", "reason": "slow"}, "auto")
PAGES = {"AIRFLOW_URL": "http://localhost:8082", "MLFLOW_URL": "http://localhost:5000"}


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def send(servers: Any, options: AlertOptions, environment: dict[str, str], now: datetime) -> None:
    address = servers.database_uri("alerts", "platform")
    delivery.deliver_all(lambda: store.connect(address), options.channels, environment, now)


def look(*causes: Cause) -> Look:
    return Look.of(["disk_full", "rolled_back"], causes)


def to_all(event: str, dataset: str | None) -> tuple[str, ...]:
    return ("team", "chat")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def subjects(mailbox: Any) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox.mails]


def test_a_cause_is_told_once_to_each_channel_and_its_end_too(
    servers, connection, options, environment, mailbox, webhook
):
    for minute in range(3):
        store.record(connection, look(FULL), to_all, minutes(minute))
        send(servers, options, environment, minutes(minute))
    assert subjects(mailbox) == ["[ML platform] Disk nearly full"]
    for minute in range(3, 6):
        store.record(connection, look(), to_all, minutes(minute))
        send(servers, options, environment, minutes(minute))
    assert subjects(mailbox) == ["[ML platform] Disk nearly full", "[ML platform] Over: Disk nearly full"]
    assert [post["title"] for post in webhook.posts] == subjects(mailbox)
    store.record(connection, look(FULL), to_all, minutes(6))
    send(servers, options, environment, minutes(6))
    assert len(mailbox.mails) == len(webhook.posts) == 3  # the same disk, full again


def test_a_happening_is_told_once_and_has_no_end(servers, connection, options, environment, mailbox):
    for causes in ((ROLLED,), (ROLLED,), (), (ROLLED,)):
        store.record(connection, look(*causes), to_all, START)
        send(servers, options, environment, START)
    assert subjects(mailbox) == ["[ML platform] Model rolled back – auto"]


def test_a_channel_that_is_away_gets_its_message_later_and_delays_no_other(
    servers, connection, options, environment, mailbox, webhook
):
    webhook.is_away = True
    store.record(connection, look(FULL), to_all, START)
    send(servers, options, environment, START)
    assert len(mailbox.mails) == 1
    assert webhook.posts == []
    [entry] = [one for one in store.entries(connection, 10) if one.channel == "chat"]
    assert "did not take the message" in str(entry.problem)
    assert str(webhook.server_port) not in str(entry.problem)  # nothing of the URL, which is a secret
    webhook.is_away = False
    send(servers, options, environment, START)
    assert webhook.posts == []  # it waits for its pause
    send(servers, options, environment, minutes(1))
    send(servers, options, environment, minutes(2))
    assert len(webhook.posts) == len(mailbox.mails) == 1


def test_a_sender_killed_before_it_sends_sends_once(servers, connection, options, environment, mailbox):
    store.record(connection, look(FULL), to_all, START)
    store.make_message(connection, "team", START)  # and here it is killed
    send(servers, options, environment, minutes(1))
    send(servers, options, environment, minutes(2))
    assert len(mailbox.mails) == 1


def test_a_sender_killed_after_it_sent_repeats_the_same_message_with_the_same_id(
    servers, connection, options, environment, mailbox, monkeypatch
):
    store.record(connection, look(FULL), to_all, START)
    with monkeypatch.context() as patch, closing(store.connect(servers.database_uri("alerts", "platform"))) as killed:
        patch.setattr(store, "record_sent", interrupted)
        with pytest.raises(KeyboardInterrupt):
            delivery.deliver(killed, "team", options.channels["team"], environment, START)
    store.record(connection, look(FULL, ROLLED), to_all, START)  # more has happened since
    send(servers, options, environment, minutes(1))
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_body(("plain",)).get_content() == second.get_body(("plain",)).get_content()
    send(servers, options, environment, minutes(2))
    assert subjects(mailbox)[2:] == ["[ML platform] Model rolled back – auto"]


def test_two_senders_do_not_send_the_same(servers, connection, options, environment, mailbox):
    store.record(connection, look(FULL), to_all, START)
    with store.channel_lock(connection, "team") as is_ours:
        assert is_ours
        send(servers, options, environment, START)
    assert mailbox.mails == []
    send(servers, options, environment, START)
    assert len(mailbox.mails) == 1


def test_a_digest_collects_and_tells_only_the_end_of_what_is_over(servers, connection, options, environment, mailbox):
    team = options.channels["team"].model_copy(update={"digest": "15m"})
    daily = options.model_copy(update={"channels": {"team": team}})
    store.record(connection, look(FULL), to_all, START)
    store.record(connection, look(ROLLED), to_all, minutes(5))
    send(servers, daily, environment, minutes(14))
    assert mailbox.mails == []
    send(servers, daily, environment, minutes(15))
    assert subjects(mailbox) == ["[ML platform] Model rolled back, over: Disk nearly full"]


def test_no_message_comes_in_quiet_hours(servers, connection, options, environment, mailbox):
    quiet = {"start": "11:00", "end": "13:00"}
    team = type(options.channels["team"]).model_validate(options.channels["team"].model_dump() | {"quiet": quiet})
    hushed = options.model_copy(update={"channels": {"team": team}})
    store.record(connection, look(FULL), to_all, START)
    send(servers, hushed, environment, minutes(59))
    assert mailbox.mails == []
    send(servers, hushed, environment, minutes(60))
    assert len(mailbox.mails) == 1


def test_many_alerts_come_in_few_messages_and_none_is_lost(servers, connection, options, environment, mailbox):
    causes = [Cause("disk_full", f"/disk{n}", {"path": f"/disk{n}", "percent": 95, "free": 1}) for n in range(45)]
    store.record(connection, look(*causes), to_all, START)
    for _ in range(4):
        send(servers, options, environment, START)
    assert len(mailbox.mails) == 3
    text = "".join(mail.get_body(("plain",)).get_content() for mail in mailbox.mails)
    assert all(f"/disk{n} is used" in text for n in range(45))


def test_an_outage_of_postgres_is_told_once_and_its_end_too(
    servers, connection, options, environment, mailbox, webhook
):
    away = DatabaseAway()
    part = Part("server_unhealthy", None, {"server": "postgres", "problem": "connection refused"}, START)
    for minute in range(3):
        away.tell(part, options.channels, environment, minutes(minute))
    assert subjects(mailbox) == ["[ML platform] Server unhealthy – postgres"]
    away.record(connection, minutes(3))
    store.record(connection, Look.of(["server_unhealthy"], []), to_all, minutes(4))
    send(servers, options, environment, minutes(4))
    assert subjects(mailbox)[1:] == ["[ML platform] Over: Server unhealthy – postgres"]
    assert len(webhook.posts) == 2


def test_what_the_pipelines_record_is_found_once(servers, connection):
    with closing(store.connect(servers.database_uri("platform"))) as owner:
        owner.execute(INSERT_REJECTED, (json.dumps(REPORT), minutes(1)))
        owner.execute(INSERT_DECISION, (minutes(1),))
        owner.execute(INSERT_ROLLBACK, (minutes(1),))

    def of_alerted(find, since):
        look = find(connection, since)  # also of what other tests left
        return replace(look, causes=tuple(cause for cause in look.causes if cause.dataset == "alerted"))

    try:
        for find in (recorded.rejected_files, recorded.refused_challengers, recorded.rollbacks):
            assert of_alerted(find, minutes(2)).causes == ()
            found = of_alerted(find, START)
            (cause,) = found.causes
            messages.compose(_ID, [_part(cause)], PAGES, "UTC")
            store.record(connection, found, to_all, START)
            assert of_alerted(find, START).causes == ()
    finally:
        with closing(store.connect(servers.database_uri("platform"))) as owner:
            for table, column in (("uploads.arrivals", "dataset"), ("models.movements", "model")):
                owner.execute(f"DELETE FROM {table} WHERE {column} = 'alerted'")
            owner.execute("DELETE FROM models.decisions WHERE model = 'alerted'")


def test_a_round_tells_of_failed_runs_and_rows_that_do_not_come(
    servers, connection, options, environment, mailbox, tmp_path, airflow_tables
):
    (tmp_path / "platform.yaml").write_text(
        json.dumps({"kind": "platform", "alerts": options.model_dump(mode="json", exclude_none=True)})
    )
    now = datetime.now(UTC)
    sender = Sender(_environment(servers, environment, tmp_path), tmp_path)
    airflow_tables.execute("INSERT INTO dag_run VALUES ('train_auto', 'r1', 'failed', now())")
    sender.round(now)
    assert subjects(mailbox) == ["[ML platform] Training failed"]
    text = mailbox.mails[0].get_body(("plain",)).get_content()
    assert "http://localhost:8082/dags/train_auto/runs/r1" in text
    airflow_tables.execute("INSERT INTO dag_run VALUES ('train_auto', 'r2', 'success', now() + interval '1s')")
    sender.round(now + timedelta(minutes=1))
    assert subjects(mailbox)[1:] == ["[ML platform] Over: Training failed"]


_ID = UUID(int=1)
REPORT = {
    "key": "train_alerted.csv", "bucket": "train", "report_key": "rejected/r.txt", "rows_rejected": 4, "rows_read": 9,
    "reasons": [{"line": None, "column": "", "value": "", "reason": "The header lacks the column AGE."}],
}  # fmt: skip
INSERT_REJECTED = (
    "INSERT INTO uploads.arrivals (dataset, purpose, bucket, object_key, outcome, report, arrived_at)"
    " VALUES ('alerted', 'train', 'train', 'train_alerted.csv', 'rejected', %s, %s)"
)
INSERT_DECISION = (
    "INSERT INTO models.decisions (model, version, run_id, decision, reason, min_gain, confidence,"
    " training_set_sha256, decided_by, decided_at)"
    " VALUES ('alerted', 3, 'r', 'kept', 'no gain', 0, 0.9, repeat('0', 64), 'ada', %s)"
)
INSERT_ROLLBACK = (
    "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, moved_at, is_done)"
    " VALUES ('alerted', 3, 2, 'ada', 'rollback', 'slow', %s, true)"
)


def _part(cause: Cause) -> Part:
    return Part(cause.event, cause.dataset, cause.facts, START)


def _environment(servers: Any, variables: dict[str, str], folder: Path) -> Environment:
    return Environment(
        database=servers.database_uri("alerts", "platform"),
        airflow_database=servers.database_uri("alerts", "airflow"),
        health_file=folder / "health",
        servers={},
        disks=(),
        backups=None,
        variables=variables,
    )
