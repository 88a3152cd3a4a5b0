"""`python -m ml_platform`."""

from ml_platform.cli import app

app(prog_name="ml-platform")
