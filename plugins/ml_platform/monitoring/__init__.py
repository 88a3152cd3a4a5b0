"""Monitoring: how the rows that a live model scores differ from those that it was trained on."""
