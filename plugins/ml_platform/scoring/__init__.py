"""Scoring: result files, and the log of all predictions."""
