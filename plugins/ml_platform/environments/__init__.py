"""Versions go to a higher environment: another MLflow registry, which only tested and approved models reach."""
