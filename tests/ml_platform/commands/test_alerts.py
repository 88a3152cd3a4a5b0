"""`ml-platform alerts`: the list and the test of a channel; `dataset check` names a secret that is missing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ml_platform.alerts import channels, store
from ml_platform.alerts.messages import Message, Part
from ml_platform.commands import alerts
from ml_platform.commands.main import app
from ml_platform.specs import catalog
from ml_platform.specs.platform import PlatformOptions

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OPTIONS = PlatformOptions.model_validate(
    {"alerts": {"channels": {"chat": {"kind": "url", "url_variable": "ALERTS_URL"}}}}
)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["alerts", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def one_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "use_servers", lambda: None)
    monkeypatch.setattr(alerts, "use_specs_folder", lambda: None)
    monkeypatch.setattr(catalog, "platform_options", lambda *_: OPTIONS)
    monkeypatch.setenv("ENV_FILE", "/nowhere/.env")


@pytest.mark.usefixtures("one_channel")
def test_a_test_message_is_sent_with_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[Message, str]] = []
    monkeypatch.setattr(channels, "send", lambda _, message, values: sent.append((message, values["ALERTS_URL"])))
    monkeypatch.setenv("ALERTS_URL", "json://hook")
    assert run("test", "chat") == (0, "a message was sent to chat\n")
    assert [(message.subject, url) for message, url in sent] == [
        ("[ML platform] Test of the channel chat", "json://hook")
    ]


@pytest.mark.usefixtures("one_channel")
def test_what_is_missing_is_named() -> None:
    assert run("test", "chat") == (1, "the variable ALERTS_URL has no value: write ALERTS_URL=... into .env\n")
    assert run("test", "team") == (1, "there is no channel 'team'; there are: chat\n")


@pytest.mark.usefixtures("one_channel")
def test_the_list_says_what_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("training_failed", "auto", {}, NOW)
    over = Part("training_failed", "auto", {}, NOW, NOW, is_over=True)
    entries = [
        store.Entry(part, True, "chat", NOW, None, NOW),
        store.Entry(over, True, "chat", None, "it is away", NOW),
        store.Entry(part, False, None, None, None, None),
        store.Entry(part, True, "team", NOW, "bob was refused", NOW),
    ]
    monkeypatch.setattr(alerts, "_read", lambda most: (entries, "never"))
    code, text = run("list")
    assert code == 0
    assert [line for line in text.splitlines() if "training_failed" in line and "2026-05-04 12:00:00" in line]
    assert "not yet, again at 12:00:00: it is away" in text
    assert "chat (all-clear)" in text
    assert "but bob was refused" in text
    assert text.endswith("last look: never\n")


def test_dataset_check_names_a_missing_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    (tmp_path / "platform.yaml").write_text(
        "kind: platform\nalerts: {channels: {chat: {kind: url, url_variable: ALERTS_URL}}}\n"
    )
    result = CliRunner().invoke(app, ["dataset", "check", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "platform.yaml: alerts.channels.chat: the variable ALERTS_URL has no value" in result.output
    (tmp_path / ".env").write_text("ALERTS_URL=json://hook\n")
    assert "ALERTS_URL" not in CliRunner().invoke(app, ["dataset", "check", "--folder", str(tmp_path)]).output
