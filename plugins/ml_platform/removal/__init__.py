"""Data that are taken back: an upload whose rows are withdrawn."""
