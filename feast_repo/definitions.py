"""What Feast knows: entities, feature views and a feature service per model, built from `datasets/*.yaml`."""

from ml_platform.feature_store.features import definitions
from ml_platform.specs.catalog import catalog

_found = catalog()
# Feast collects the objects that it finds under a module's names.
for _one in definitions(*_found.tables, *_found.datasets):
    globals()[f"{type(_one).__name__}_{_one.name}"] = _one
