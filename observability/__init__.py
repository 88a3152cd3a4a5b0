"""Prometheus and Grafana for the containers: settings and dashboards as code."""
