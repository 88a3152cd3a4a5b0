"""`python -m ml_platform`."""

from ml_platform.commands.main import app

app(prog_name="ml-platform")
