"""Feast's UI behind the guard. It only shows: the registry is made from `datasets/`, by `make up`."""

import os
from pathlib import Path

from feast import FeatureStore
from feast.ui_server import get_app

from stack.screens.guard import Guard, Rules

REPO = Path(__file__).resolve().parents[2] / "feast_repo"


def create_app() -> Guard:
    """Return the UI with the guard in front of it.

    Environment: FEAST_HOSTS, allowed values of the header `Host`; FEAST_ADMIN_USER and FEAST_ADMIN_PASSWORD; and what
    `feast_repo/feature_store.yaml` needs.
    """
    environment, store = os.environ, FeatureStore(str(REPO))
    passwords = {environment["FEAST_ADMIN_USER"]: environment["FEAST_ADMIN_PASSWORD"]}
    rules = Rules(frozenset(environment["FEAST_HOSTS"].split(",")), passwords, is_read_only=True)
    return Guard(get_app(store, store.project), rules)
