"""Shows in Airflow what is wrong with a file under `datasets/`: as an import error, with file, field and value.

It defines no DAG. A wrong file holds up only the pipelines that need it.
"""

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog

if problems := catalog().problems:
    raise ConfigurationError("\n".join(problems))
