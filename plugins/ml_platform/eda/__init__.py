"""Data reports: one HTML page about the rows of a data set."""
