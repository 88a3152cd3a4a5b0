"""Data reports."""
