"""Promotion of a version to another environment: an MLflow registry for models that were tested and approved."""
