"""Sessions: who has one, and when it is over."""

import time

import itsdangerous.timed
import pytest

from ml_platform.home.login import sessions, users


def test_a_session_names_its_user(settings):
    cookie = sessions.start(settings, users.find(settings, "victor"))
    assert sessions.user_of(settings, cookie) == users.find(settings, "victor")


@pytest.mark.parametrize("cookie", [None, "", "victor", "a.b.c", "é", "WyJhZG1pbiJd.x.y"])
def test_what_is_no_session(settings, cookie):
    assert sessions.user_of(settings, cookie) is None


def test_a_session_of_another_key_or_shape_is_none(settings):
    other = settings.model_copy(update={"home_session_key": type(settings.home_session_key)("j" * 32)})
    assert sessions.user_of(settings, sessions.start(other, users.find(other, "admin"))) is None
    assert sessions.user_of(settings, sessions._serializer(settings).dumps(["admin"])) is None
    assert sessions.user_of(settings, sessions._serializer(settings).dumps(7)) is None


def test_a_session_ends_by_time(settings, monkeypatch):
    cookie = sessions.start(settings, users.find(settings, "admin"))
    later = time.time() + sessions.HOURS * 3600 + 2
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: later)
    assert sessions.user_of(settings, cookie) is None


def test_a_session_ends_with_another_password_role_or_without_the_user(settings):
    cookie = sessions.start(settings, users.find(settings, "victor"))
    for entries in ({}, {"victor": settings.home_users["olga"]}):
        assert sessions.user_of(settings.model_copy(update={"home_users": entries}), cookie) is None
