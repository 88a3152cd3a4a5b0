"""Passwords of users: only their hashes are kept, by scrypt (RFC 7914)."""

import base64
import hashlib
import hmac
import os

COST, BLOCK, PARALLEL = 2**15, 8, 1  # 32 MiB and a tenth of a second: what OWASP recommends at least
MEMORY = 2**26
PREFIX = "scrypt"


def hash_of(password: str) -> str:
    """Return the text that is kept of a password: method, salt and hash."""
    salt = os.urandom(16)
    return "$".join([PREFIX, _text(salt), _text(_scrypt(password, salt))])


def is_valid(text: str) -> bool:
    """Return whether a text has the form of `hash_of`."""
    parts = text.split("$")
    return len(parts) == 3 and parts[0] == PREFIX and all(_bytes(part) for part in parts[1:])


def matches(password: str, kept: str) -> bool:
    """Return whether a password is the one of which this hash is kept."""
    _, salt, expected = kept.split("$")
    return hmac.compare_digest(_scrypt(password, _bytes(salt)), _bytes(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
