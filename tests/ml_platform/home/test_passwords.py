"""What is kept of a password: its hash, with a salt of its own."""

import pytest

from ml_platform.home import passwords


def test_a_password_matches_its_hash_only():
    kept = passwords.hash_of("open sesame")
    assert passwords.is_hash(kept)
    assert passwords.matches("open sesame", kept)
    assert not passwords.matches("Open sesame", kept)


def test_the_same_password_has_another_hash_each_time():
    assert passwords.hash_of("x" * 8) != passwords.hash_of("x" * 8)


def test_env_can_hold_a_hash():
    assert not set(passwords.hash_of("x")) & set("$'\" #\\")


@pytest.mark.parametrize("text", ["", "secret", "scrypt:AAAA:AAAA", "md5:" + passwords.NOBODY[7:], "scrypt:é:é"])
def test_what_is_no_hash(text):
    assert not passwords.is_hash(text)


def test_nobody_has_the_hash_for_unknown_names():
    assert passwords.is_hash(passwords.NOBODY)
    assert not passwords.matches("", passwords.NOBODY)
