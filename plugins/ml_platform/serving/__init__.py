"""Predictions of the live models over HTTP: `python -m ml_platform.serving`."""
