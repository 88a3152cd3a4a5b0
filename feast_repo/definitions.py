"""The definitions of Feast: entities, feature views and a feature service per model, from `datasets/*.yaml`."""

from ml_platform.feature_store.features import definitions
from ml_platform.specs.catalog import catalog

_catalog = catalog()
# Feast collects the objects among the global names of a module.
for _definition in definitions(*_catalog.tables, *_catalog.datasets):
    globals()[f"{type(_definition).__name__}_{_definition.name}"] = _definition
