"""What Feast knows: per data set one entity and one feature view, built from `datasets/*.yaml`."""

from ml_platform.datasets import datasets
from ml_platform.features import entity, feature_view

# Feast collects the objects that it finds under a module's names.
for _dataset in datasets():
    globals()[f"{_dataset.name}_entity"] = entity(_dataset)
    globals()[f"{_dataset.name}_view"] = feature_view(_dataset)
