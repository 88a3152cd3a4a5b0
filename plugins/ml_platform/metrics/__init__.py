"""Metrics for Prometheus: what is recorded anyway, as numbers on one page."""
