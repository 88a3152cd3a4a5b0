"""Show the mistakes in `datasets/*.yaml` in Airflow: as an import error that names file, field and value.

This file defines no DAG. A mistake in one file blocks only the DAGs that need it.
"""

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog

if problems := catalog().problems:
    raise ConfigurationError("\n".join(problems))
