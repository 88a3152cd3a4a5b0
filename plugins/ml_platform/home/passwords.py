"""Passwords of users: only their hashes are kept, by scrypt (RFC 7914)."""

import base64
import hashlib
import hmac
import os

COST, BLOCK, PARALLEL = 2**15, 8, 1  # 32 MiB and a tenth of a second
MEMORY = 2**26
METHOD, LENGTH = "scrypt", 32
NOBODY = f"{METHOD}:{'A' * 22}==:{'A' * 43}="  # no password has this hash


def hash_of(password: str) -> str:
    """Return the text that is kept of a password: method, salt and hash. It has no `$`, so `.env` can hold it."""
    salt = os.urandom(16)
    return ":".join([METHOD, _text(salt), _text(_scrypt(password, salt))])


def is_hash(text: str) -> bool:
    """Return whether a text has the form of `hash_of`."""
    method, _, rest = text.partition(":")
    salt, _, kept = rest.partition(":")
    return method == METHOD and len(_bytes(salt)) == 16 and len(_bytes(kept)) == LENGTH


def matches(password: str, kept: str) -> bool:
    """Return whether a password is the one of which this hash is kept."""
    _, salt, expected = kept.split(":")
    return hmac.compare_digest(_scrypt(password, _bytes(salt)), _bytes(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MEMORY, dklen=LENGTH)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except ValueError:
        return b""
