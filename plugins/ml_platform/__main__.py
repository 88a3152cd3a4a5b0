"""`python -m ml_platform`."""

from ml_platform.commands.support import use_specs_folder

use_specs_folder()  # before the commands are imported, which look for the specs
from ml_platform.commands.main import app  # noqa: E402

app(prog_name="ml-platform")
