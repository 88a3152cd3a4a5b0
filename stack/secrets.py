"""`.env`: created from `.env.example` at the first start, readable by its owner only, with random secrets.

`python -m stack.secrets [FILE]` is `make env`. It needs no packages, because a host of containers has none.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"


def read(path: Path) -> dict[str, str]:
    """Return the variables of an env file; one without a value is the empty string."""
    from dotenv import dotenv_values

    return {key: value or "" for key, value in dotenv_values(path, interpolate=False).items()}


def ensure(path: Path) -> None:
    """Create `path` from the example, or add the variables of a newer example; fill the secrets that are empty."""
    example = _assignments(EXAMPLE)
    source = path if path.exists() else EXAMPLE
    lines, present = source.read_text().splitlines(), _assignments(source)
    lines += [f"{key}={value}" for key, value in example.items() if key not in present]
    empty = {key for key, value in example.items() if not value and not present.get(key)}
    write_private(path, "".join(_fill(line, empty) + "\n" for line in lines))


def _assignments(path: Path) -> dict[str, str]:
    """Return the text after each `=`, without quotes: enough to find missing and empty variables."""
    parts = (line.partition("=") for line in path.read_text().splitlines() if "=" in line and line[:1] != "#")
    return {key.strip(): value.strip().strip("\"'") for key, _, value in parts}


def random_secret(key: str) -> str:
    """Return a new random secret for the variable `key`, in characters that are safe in URLs and shells."""
    if key.endswith("FERNET_KEY"):
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32 if "PASSWORD" not in key else 12)


def _fill(line: str, empty: set[str]) -> str:
    key = line.partition("=")[0].strip()
    return f"{key}={random_secret(key)}" if key in empty else line


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; it is replaced at once, or not at all."""
    if path.exists() and path.read_text() == text:
        path.chmod(0o600)
        return
    temporary = path.with_name(path.name + ".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.chmod(0o600)
    temporary.replace(path)


if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ENV_FILE") or EXAMPLE.with_name(".env"))
    ensure(file)
    sys.stdout.write(f"Settings and secrets: {file.absolute()} (readable by you only)\n")
