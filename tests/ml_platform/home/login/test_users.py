"""The users: who they are, and whether a password is theirs."""

import pytest

from ml_platform.home.login import users


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [("admin", "administrator", "operator"), ("victor", "only looking", "viewer"), ("olga", "in charge", "operator")],
)
def test_a_user_logs_in(settings, name, password, role):
    user = users.log_in(settings, name, password)
    assert (user.name, user.role, user.may_act) == (name, role, role == "operator")


@pytest.mark.parametrize(
    ("name", "password"),
    [("admin", ""), ("admin", "Administrator"), ("victor", "in charge"), ("nobody", ""), ("", ""), ("admin\0", "é")],
)
def test_nobody_else_does(settings, name, password):
    assert users.log_in(settings, name, password) is None


def test_another_role_or_password_has_another_stamp(settings, entries):
    before = users.find(settings, "victor")
    promoted = settings.model_copy(update={"home_users": {"victor": settings.home_users["olga"]}})
    assert users.find(promoted, "victor").stamp != before.stamp
    assert users.find(settings, "victor").stamp == before.stamp


def test_a_stamp_tells_nothing_about_the_password(settings):
    other = settings.model_copy(update={"home_session_key": type(settings.home_session_key)("j" * 32)})
    assert users.find(other, "admin").stamp != users.find(settings, "admin").stamp
