"""Predictions for rows of a topic as they come, each row answered exactly once."""
