"""The options of alerts: channels, events, and what a data set expects to come."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.alerts import AlertOptions, DatasetAlerts, Expectation, missing_variables, routes
from ml_platform.specs.catalog import catalog, platform_options

MAIL = {"kind": "mail", "host": "smtp.example.org", "sender": "ml@example.org", "to": ["ada@example.org"]}
CHAT = {"kind": "url", "url_variable": "ALERTS_URL"}


def options(**channels: dict[str, Any]) -> AlertOptions:
    return AlertOptions.model_validate({"channels": channels})


def test_events_go_to_the_channels_that_want_them() -> None:
    both = options(team=MAIL, chat=CHAT | {"events": ["drift"]})
    assert routes(both, None, "drift") == ("team", "chat")
    assert routes(both, DatasetAlerts(), "rolled_back") == ("team",)
    assert routes(both, DatasetAlerts(channels=("chat",)), "drift") == ("chat",)
    assert routes(both, DatasetAlerts(channels=()), "drift") == ()
    assert routes(both, DatasetAlerts(events=("drift",)), "rolled_back") == ()
    assert routes(both.model_copy(update={"events": ()}), None, "drift") == ()


def test_a_secret_without_a_value_is_named() -> None:
    with_login = options(team=MAIL | {"user": "ml", "password_variable": "ALERTS_SMTP_PASSWORD"}, chat=CHAT)
    assert missing_variables(with_login, {"ALERTS_URL"}) == [
        "alerts.channels.team: the variable ALERTS_SMTP_PASSWORD has no value: write ALERTS_SMTP_PASSWORD=... into .env"
    ]
    assert missing_variables(options(team=MAIL), ()) == []


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        (MAIL | {"password": "x"}, "alerts.channels.mail.password: no such field; there are: kind, events"),
        (MAIL | {"user": "ml"}, "give both `user` and `password_variable`"),
        (
            MAIL | {"user": "ml", "password_variable": "ALERTS_P", "security": "none"},
            "none would send the password in clear",
        ),
        (MAIL | {"to": ["ada@example.org\nBcc: eve@example.org"]}, "alerts.channels.mail.to.0: String should match"),
        (CHAT | {"url_variable": "ALERTS_DB_PASSWORD"}, "choose another name"),
        (CHAT | {"url_variable": "https://hooks.example.org/secret"}, "String should match pattern"),
        (CHAT | {"quiet": {"start": "07:00", "end": "07:00"}}, "would never get a message"),
        (CHAT | {"quiet": {"begin": "07:00"}}, "quiet.begin: no such field; there are: start, end"),
        (CHAT | {"digest": "8 o'clock"}, "alerts.channels.mail.digest: String should match pattern"),
        (CHAT | {"zone": "Berlin"}, "not a time zone of the IANA database"),
        ({"kind": "fax"}, "alerts.channels.mail: `kind` must be one of mail, url (got 'fax')"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, channel: dict[str, Any], says: str) -> None:
    import json

    (tmp_path / "platform.yaml").write_text(json.dumps({"kind": "platform", "alerts": {"channels": {"mail": channel}}}))
    with pytest.raises(ConfigurationError) as caught:
        platform_options(tmp_path)
    assert says in str(caught.value)


def test_a_data_set_names_only_channels_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "name: shop\ndescription: d\nentity: {name: customer, key: id}\nlabel: {column: y, positive: 1}\n"
        "columns: {id: integer, x: number, y: integer}\nalerts: {channels: [team]}\nexpect: {every: 1d, rows: 10..}\n"
    )
    known = catalog(tmp_path)
    assert known.problems == (
        f"{tmp_path / 'shop.yaml'}: alerts.channels: platform.yaml has no 'team'; there are: none",
    )
    assert known.datasets[0].expect == Expectation(every="1d", rows="10..")
    plain = known.datasets[0].model_copy(update={"alerts": DatasetAlerts(), "expect": None})
    assert plain.sha256 == known.datasets[0].sha256


@pytest.mark.parametrize(
    ("rows", "limits"), [(None, (0, None)), ("10..", (10, None)), ("..20", (0, 20)), ("10..20", (10, 20))]
)
def test_limits_of_rows(rows: str | None, limits: tuple[int, int | None]) -> None:
    assert Expectation(every="1d", rows=rows).limits == limits


@pytest.mark.parametrize("rows", ["..", "20..10", "10", "a..b"])
def test_limits_that_are_none(rows: str) -> None:
    with pytest.raises(ValidationError):
        Expectation(every="1d", rows=rows)
